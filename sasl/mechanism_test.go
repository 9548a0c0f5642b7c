package sasl

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const canary = "hunter2-canary"

func steps(t *testing.T, m Mechanism, challenges ...string) (replies []string, err error) {
	t.Helper()
	talk, err := m.Start(t.Context(), "host")
	if err != nil {
		return nil, err
	}
	reply, err := talk.Step(nil)
	replies = append(replies, string(reply))
	for _, c := range challenges {
		if err != nil {
			return replies, err
		}
		if reply, err = talk.Step([]byte(c)); reply == nil {
			replies = append(replies, "end")
		} else {
			replies = append(replies, string(reply))
		}
	}
	return replies, err
}

func TestConversations(t *testing.T) {
	tests := []struct {
		name       string
		mechanism  Mechanism
		challenges []string
		want       string
		err        string
	}{
		{"PLAIN", Plain("user", "pass"), []string{""}, "\x00user\x00pass|end", ""},
		{"PLAIN with a challenge", Plain("user", "pass"), []string{"more"}, "\x00user\x00pass|end", "challenge"},
		{"PLAIN without a user", Plain("", "pass"), nil, "", "user name is empty"},
		{"PLAIN with a NUL", Plain("u\x00v", "pass"), nil, "", "NUL"},
		{"PLAIN, no UTF-8", Plain("u", "\xff"), nil, "", "UTF-8"},
		{"SCRAM without a password", ScramSHA256("u", ""), nil, "", "password is empty"},
		{"a login that fails", PlainLogin(func(context.Context) (string, string, error) { return "", "", errors.New("vault is down") }), nil, "", "vault is down"},
		{"a token", OAuthBearerToken("abc.def"), []string{""}, "n,,\x01auth=Bearer abc.def\x01\x01|end", ""},
		{"a token is refused", OAuthBearerToken("abc"), []string{`{"status":"invalid_token"}`}, "n,,\x01auth=Bearer abc\x01\x01|\x01", ""},
		{"and nobody says so", OAuthBearerToken("abc"), []string{`{"status":"invalid_token"}`, ""}, "n,,\x01auth=Bearer abc\x01\x01|\x01|end", "refused"},
		{"a token that adds to the message", OAuthBearerToken("abc\x01auth=x"), nil, "", "control character"},
		{"extensions", OAuthBearer(func(context.Context) (Token, error) {
			return Token{Value: "t", Extensions: map[string]string{"b": "2", "a": "1"}}, nil
		}), []string{""}, "n,,\x01auth=Bearer t\x01a=1\x01b=2\x01\x01|end", ""},
		{"an extension in place of the token", OAuthBearer(func(context.Context) (Token, error) {
			return Token{Value: "t", Extensions: map[string]string{"auth": "x"}}, nil
		}), nil, "", "extension"},
		{"an old token", OAuthBearer(func(context.Context) (Token, error) {
			return Token{Value: "t", Expires: time.Now().Add(-time.Second)}, nil
		}), nil, "", "expired"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			replies, err := steps(t, tc.mechanism, tc.challenges...)
			if got := strings.Join(replies, "|"); got != tc.want {
				t.Errorf("replies %q, want %q", got, tc.want)
			}
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want one about %q", err, tc.err)
			}
		})
	}
}

// TestTokenIsKept: a token serves until 80 % of its time are over, a broken
// source is forgiven while it is valid, and a refusal asks for another one.
func TestTokenIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		var broken error
		m := OAuthBearer(func(context.Context) (Token, error) {
			calls++
			return Token{Value: fmt.Sprint("token", calls), Expires: time.Now().Add(100 * time.Second)}, broken
		})
		expect := func(want string, challenges ...string) {
			t.Helper()
			replies, err := steps(t, m, challenges...)
			if err != nil || !strings.Contains(replies[0], want) {
				t.Errorf("%q, %v, want %s", replies, err, want)
			}
		}
		expect("token1", "")
		time.Sleep(79 * time.Second)
		expect("token1", "")
		broken = errors.New("down")
		time.Sleep(2 * time.Second)
		expect("token1", "")
		broken = nil
		expect("token3", "") // the second call failed
		expect("token3", `{"status":"invalid_token"}`)
		expect("token4", "")
		time.Sleep(200 * time.Second)
		broken = errors.New("down")
		if _, err := steps(t, m, ""); !errors.Is(err, broken) {
			t.Errorf("error %v, want %v", err, broken)
		}
	})
}

// TestSecretsAreNotPrinted is P10 for this package, whatever the verb, also
// where fmt can call no method: inside of unexported fields.
func TestSecretsAreNotPrinted(t *testing.T) {
	token := func(context.Context) (Token, error) {
		return Token{Value: canary, Expires: time.Now().Add(time.Hour)}, nil
	}
	for _, m := range []Mechanism{
		Plain("user", canary), ScramSHA256("user", canary), ScramSHA512("user", canary), OAuthBearerToken(canary), OAuthBearer(token),
	} {
		talk, err := m.Start(t.Context(), "host")
		if err != nil {
			t.Fatal(err)
		}
		hidden := struct {
			m Mechanism
			c Conversation
		}{m, talk}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			for _, x := range []any{m, talk, hidden, &hidden, []Mechanism{m}} {
				text := fmt.Sprintf(verb, x)
				if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
					t.Errorf("%s of %s: %s", verb, m.Name(), text)
				}
			}
		}
		if guard := talk.(Guard); !guard.Repeats("no: "+canary+"!") || guard.Repeats("no") {
			t.Errorf("%s does not know its secret", m.Name())
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, Token{Value: canary}); strings.Contains(text, canary) {
			t.Errorf("%s of a Token: %s", verb, text)
		}
	}
}
