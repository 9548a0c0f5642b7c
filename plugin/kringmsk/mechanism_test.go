package kringmsk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
)

const canary = "hunter2-canary"

func fixed(c Credentials) Provider {
	return func(context.Context) (Credentials, error) { return c, nil }
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct{ answer, want string }{
		{`{"version":"2020_10_22","request-id":"x"}`, ""},
		{``, "answers nothing"},
		{`no`, "not JSON"},
		{`{"version":"2019"}`, "not of version"},
		{`{}`, "not of version"},
	} {
		talk, err := New(fixed(keys(""))).Start(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := talk.Step(nil); err != nil {
			t.Fatal(err)
		}
		reply, err := talk.Step([]byte(tc.answer))
		if reply != nil || (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %q, %v, want %q", tc.answer, reply, err, tc.want)
		}
	}
}

func TestProblems(t *testing.T) {
	down := errors.New("no role")
	for _, tc := range []struct {
		name     string
		provider Provider
		want     string
	}{
		{"the provider fails", func(context.Context) (Credentials, error) { return Credentials{}, down }, "credentials for AWS_MSK_IAM: no role"},
		{"no key", fixed(Credentials{SecretAccessKey: canary}), "is empty"},
		{"no secret", fixed(Credentials{AccessKeyID: "a"}), "is empty"},
		{"old", fixed(Credentials{AccessKeyID: "a", SecretAccessKey: canary, Expires: time.Now().Add(-time.Second)}), "expired at"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			talk, err := New(tc.provider).Start(t.Context(), host)
			if talk != nil || err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
	for _, m := range []sasl.Mechanism{New(nil), New(FromAWS(nil)), New(fixed(keys("")), Region("eu/west/1"))} {
		if _, err := kring.New(kring.Brokers("127.0.0.1:1"), kring.TLS(nil), kring.SASL(m)); err == nil || !strings.Contains(err.Error(), "SASL AWS_MSK_IAM: ") {
			t.Errorf("New: %v", err)
		}
	}
	if _, err := kring.New(kring.Brokers("127.0.0.1:1"), kring.SASL(New(fixed(keys(""))))); err == nil || !strings.Contains(err.Error(), "in the clear") {
		t.Errorf("without TLS: %v", err)
	}
}

// sdk is a provider of the AWS SDK.
type sdk struct {
	c   aws.Credentials
	err error
}

func (s sdk) Retrieve(context.Context) (aws.Credentials, error) { return s.c, s.err }

func TestFromAWS(t *testing.T) {
	when := time.Now().Add(time.Hour)
	given := aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b", SessionToken: "c", Expires: when, CanExpire: true}
	got, err := FromAWS(sdk{c: given})(t.Context())
	if want := (Credentials{"a", "b", "c", when}); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	given.CanExpire = false
	if got, err = FromAWS(sdk{c: given})(t.Context()); err != nil || !got.Expires.IsZero() {
		t.Errorf("%v, %v, want no end", got, err)
	}
	down := errors.New("down")
	if _, err = FromAWS(sdk{err: down})(t.Context()); !errors.Is(err, down) {
		t.Errorf("error %v", err)
	}
}

// TestSecretsAreNotPrinted: whatever the verb, also inside of unexported fields.
func TestSecretsAreNotPrinted(t *testing.T) {
	c := keys("token-" + canary)
	m := New(fixed(c))
	talk, err := m.Start(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, x := range []any{c, &c, m, talk, struct{ m, c any }{m, talk}} {
			text := fmt.Sprintf(verb, x)
			if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s: %s", verb, text)
			}
		}
	}
	for text, want := range map[string]bool{"no " + canary: true, "no token-" + canary + "!": true, "no": false} {
		if got := talk.(sasl.Guard).Repeats(text); got != want {
			t.Errorf("Repeats(%q) is %t", text, got)
		}
	}
}
