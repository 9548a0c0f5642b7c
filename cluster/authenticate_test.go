package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring/sasl"
)

const canary = "hunter2-canary"

// login is a broker that wants PLAIN with the canary for a password. change
// may replace its answers.
func login(change func(key int16, m kmsg.Response)) *broker {
	b := newBroker("a:1")
	b.versions[keySaslHandshake], b.versions[keySaslAuthenticate] = [2]int16{0, 1}, [2]int16{0, 2}
	answer := func(r request, m kmsg.Response) ([]byte, bool) {
		if change != nil {
			change(r.key, m)
		}
		return frameOf(r, m), true
	}
	b.lies[keySaslHandshake] = func(r request) ([]byte, bool) {
		m := r.body.ResponseKind().(*kmsg.SASLHandshakeResponse)
		m.SupportedMechanisms = []string{"PLAIN"}
		if r.body.(*kmsg.SASLHandshakeRequest).Mechanism != "PLAIN" {
			m.ErrorCode = codeUnsupportedMechanism
		}
		return answer(r, m)
	}
	b.lies[keySaslAuthenticate] = func(r request) ([]byte, bool) {
		m := r.body.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		m.SASLAuthBytes = []byte{}
		if string(r.body.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes) != "\x00user\x00"+canary {
			m.ErrorCode, m.ErrorMessage = codeAuthenticationFailed, kmsg.StringPtr("Invalid username or password")
		}
		return answer(r, m)
	}
	return b
}

func TestAuthenticate(t *testing.T) {
	plain := sasl.Plain("user", canary)
	on := func(want int16, f func(m kmsg.Response)) func(int16, kmsg.Response) {
		return func(key int16, m kmsg.Response) {
			if key == want {
				f(m)
			}
		}
	}
	refuse := func(code int16, text string) func(int16, kmsg.Response) {
		return on(keySaslAuthenticate, func(m kmsg.Response) {
			r := m.(*kmsg.SASLAuthenticateResponse)
			r.ErrorCode, r.ErrorMessage = code, kmsg.StringPtr(text)
		})
	}
	accept := on(keySaslHandshake, func(m kmsg.Response) { m.(*kmsg.SASLHandshakeResponse).ErrorCode = codeNone })
	refuseKerberos := func(key int16, m kmsg.Response) {
		accept(key, m)
		refuse(codeAuthenticationFailed, "invalid credentials")(key, m)
	}
	tests := []struct {
		name      string
		mechanism sasl.Mechanism
		change    func(int16, kmsg.Response)
		script    func(b *broker)
		want      string // "": success
		fatal     bool   // *AuthError
		sent      int    // SaslAuthenticate requests
	}{
		{"success", plain, nil, nil, "", false, 1},
		{"success with v0", plain, nil, func(b *broker) { b.versions[keySaslAuthenticate] = [2]int16{0, 0} }, "", false, 1},
		{"wrong password", sasl.Plain("user", "wrong"), nil, nil, "PLAIN authentication failed: Invalid username or password; check the user name", true, 1},
		{"a KDC refuses", kerberos{errors.New("no such user")}, accept, nil, "failed: the credentials were refused: no such user; the broker has not been asked", true, 0},
		{"a broker with old keys", kerberos{}, refuseKerberos, nil, "that its keytab has the keys", true, 1},
		{"another mechanism is offered", sasl.ScramSHA256("user", canary), nil, nil, "does not offer this mechanism on this listener, but PLAIN", true, 0},
		{"a listener without SASL", plain, on(keySaslHandshake, func(m kmsg.Response) { m.(*kmsg.SASLHandshakeResponse).ErrorCode = codeIllegalSaslState }), nil, "no SASL", true, 0},
		{"an old broker", plain, nil, func(b *broker) { b.versions[keySaslHandshake] = [2]int16{0, 0} }, "Kafka 1.0 or later", false, 0},
		{"a broker without SASL", plain, nil, func(b *broker) { delete(b.versions, keySaslAuthenticate) }, "Kafka 1.0 or later", false, 0},
		{"the reason repeats the secret", plain, refuse(codeAuthenticationFailed, "bad password "+canary), nil, "so it is not shown", true, 1},
		{"the reason is no text", plain, refuse(codeAuthenticationFailed, "a\x1b[2Jb\n\u2028"+strings.Repeat("x", 5000)), nil, "a?[2Jb??xxx", true, 1},
		{"an error that may pass", plain, refuse(-1, "try later"), nil, "try later", false, 1},
		{"a challenge where none belongs", plain, on(keySaslAuthenticate, func(m kmsg.Response) {
			m.(*kmsg.SASLAuthenticateResponse).SASLAuthBytes = []byte("x")
		}), nil, "challenge", true, 1},
		{"the broker hangs up", plain, nil, func(b *broker) {
			b.lies[keySaslAuthenticate] = func(request) ([]byte, bool) { return nil, false }
		}, "closed the connection during PLAIN authentication", false, 1},
		{"a length that lies", plain, nil, func(b *broker) {
			b.lies[keySaslAuthenticate] = func(r request) ([]byte, bool) {
				return rawFrame(r.correlationID, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f), true
			}
		}, "does not fit", false, 1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := login(tc.change)
			if tc.script != nil {
				tc.script(b)
			}
			cfg := newWorld(b).config()
			cfg.SASL = tc.mechanism
			link, err := Connect(t.Context(), cfg, "a:1")
			if err == nil {
				link.Close()
			}
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if got := errors.As(err, new(*AuthError)); got != tc.fatal {
				t.Errorf("is an AuthError: %t, want %t", got, tc.fatal)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\n")) {
				t.Errorf("an error that must not be logged: %q", err)
			}
			if got := len(b.seen(keySaslAuthenticate)); got != tc.sent {
				t.Errorf("%d SaslAuthenticate requests were sent, want %d", got, tc.sent)
			}
		})
	}
}

// kerberos is a mechanism that a KDC may refuse.
type kerberos struct{ refused error }

func (kerberos) Name() string        { return "GSSAPI" }
func (kerberos) RevealsSecret() bool { return false }
func (k kerberos) Start(context.Context, string) (sasl.Conversation, error) {
	if k.refused != nil {
		return sasl.Refused(fmt.Errorf("%w: %w", sasl.ErrRefused, k.refused)), nil
	}
	return k, nil
}
func (kerberos) Step([]byte) ([]byte, error) { return []byte("a ticket"), nil }

// rawFrame is a response of these bytes.
func rawFrame(correlation int32, body ...byte) []byte {
	n := len(body) + 4
	out := []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	out = append(out, byte(correlation>>24), byte(correlation>>16), byte(correlation>>8), byte(correlation))
	return append(out, body...)
}

// TestLoginThatNeverEnds: a broker with a question to every answer is left.
func TestLoginThatNeverEnds(t *testing.T) {
	b := login(nil)
	b.lies[keySaslAuthenticate] = nil
	b.lies[keySaslHandshake] = nil
	b.change(func(b *broker) {
		for _, key := range []int16{keySaslHandshake, keySaslAuthenticate} {
			b.lies[key] = func(r request) ([]byte, bool) { return frameOf(r, r.body.ResponseKind()), true }
		}
	})
	cfg := newWorld(b).config()
	cfg.SASL = talker{}
	if _, err := Connect(t.Context(), cfg, "a:1"); err == nil || !strings.Contains(err.Error(), "did not come to an end") {
		t.Errorf("error %v", err)
	}
	if n := len(b.seen(keySaslAuthenticate)); n != mostRounds {
		t.Errorf("%d rounds, want %d", n, mostRounds)
	}
}

// talker is a mechanism that is never satisfied.
type talker struct{ sasl.Mechanism }

func (talker) Name() string { return "TALK" }
func (talker) Start(context.Context, string) (sasl.Conversation, error) {
	return talker{}, nil
}
func (talker) Step([]byte) ([]byte, error) { return []byte("more"), nil }

// TestSessionIsRenewed: the control link is replaced before its login ends, and
// the dice spread that over 85 to 95 % of the time.
func TestSessionIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := login(func(_ int16, m kmsg.Response) {
			if r, ok := m.(*kmsg.SASLAuthenticateResponse); ok {
				r.SessionLifetimeMillis = 100_000
			}
		})
		cfg := newWorld(b).config("a:1")
		cfg.SASL = sasl.Plain("user", canary)
		c := mustClient(t, cfg)
		mustMetadata(t, c)
		time.Sleep(89 * time.Second)
		mustMetadata(t, c)
		if n := b.dialled(); n != 1 {
			t.Fatalf("%d connections before the renewal, want 1", n)
		}
		time.Sleep(2 * time.Second) // the dice of this world say 90 %
		mustMetadata(t, c)
		if n := b.dialled(); n != 2 {
			t.Errorf("%d connections after it, want 2", n)
		}
	})
}

func TestSessionTimes(t *testing.T) {
	for _, tc := range []struct {
		ms   int64
		want time.Duration
	}{
		{0, 0},
		{-5, 0},
		{1, leastSession},
		{5000, 5 * time.Second},
		{1 << 62, 0},
	} {
		if got := sessionOf(tc.ms); got != tc.want {
			t.Errorf("sessionOf(%d) = %v, want %v", tc.ms, got, tc.want)
		}
	}
}

// TestWrongPasswordIsNotTriedInALoop is G15: however often somebody asks, the
// broker sees few attempts, and who asks is told at once.
func TestWrongPasswordIsNotTriedInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := login(nil)
		cfg := newWorld(b).config("a:1")
		cfg.SASL = sasl.Plain("user", "wrong")
		c := mustClient(t, cfg)
		for range 600 {
			begin := time.Now()
			_, err := c.Metadata(t.Context(), nil)
			if auth := (*AuthError)(nil); !errors.As(err, &auth) || !strings.Contains(err.Error(), "lets this client in: PLAIN authentication failed") {
				t.Fatalf("error %v", err)
			}
			if took := time.Since(begin); took > 0 {
				t.Fatalf("the error came after %v", took)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(b.seen(keySaslAuthenticate)); n < 3 || n > 8 {
			t.Errorf("%d attempts in a minute, want 1 s to 30 s between them", n)
		}
	})
}
