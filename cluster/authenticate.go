package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring/sasl"
)

const (
	// wrappedHandshake is the first SaslHandshake after which a login goes
	// in SaslAuthenticate requests (Kafka 1.0, KIP-152). Before, it went as
	// bare bytes, and a refusal was a closed connection.
	wrappedHandshake   = 1
	newestAuthenticate = 2

	// mostRounds ends a broker that always has another question. The
	// longest mechanism that exists takes three.
	mostRounds = 10

	// leastSession keeps a broker with absurdly short sessions from making
	// the client do nothing but connect.
	leastSession = 100 * time.Millisecond
	// longestSession keeps the arithmetic of times away from its limits.
	longestSession = 10 * 365 * 24 * time.Hour
)

// authenticate logs the connection in. It sends nothing of the credentials
// before the broker has agreed to the mechanism, and never tries another one.
func authenticate(ctx context.Context, l *Link, cfg *Config, host string) error {
	if cfg.SASL == nil {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.RequestTimeout,
		&timeoutError{what: cfg.SASL.Name() + " authentication was not done", after: cfg.RequestTimeout})
	defer cancel()
	if err := agree(ctx, l, cfg.SASL.Name()); err != nil {
		return err
	}
	talk, err := guest(ctx, "the login of "+cfg.SASL.Name(), func() (sasl.Conversation, error) {
		talk, err := cfg.SASL.Start(ctx, host)
		if err == nil && talk == nil {
			err = errors.New("the mechanism returned neither a conversation nor an error")
		}
		return talk, err
	}, func(sasl.Conversation) {})
	if err != nil {
		return err
	}
	session, began, err := converse(ctx, l, cfg.SASL.Name(), talk)
	if err != nil {
		return err
	}
	if session > 0 {
		l.SessionEnd = began.Add(session)
		// 85 to 95 %, so that the connections of many clients do not
		// renew at one moment.
		l.RenewAt = began.Add(time.Duration(float64(session) * (0.85 + 0.1*cfg.Rand())))
	}
	return nil
}

// agree asks the broker for a mechanism.
func agree(ctx context.Context, l *Link, mechanism string) error {
	_, handshake := l.Versions.Pick(keySaslHandshake, wrappedHandshake, wrappedHandshake)
	_, login := l.Versions.Pick(keySaslAuthenticate, 0, newestAuthenticate)
	if !handshake || !login {
		return &VersionError{Address: l.Address, Reason: "the broker does not offer SaslHandshake v1 and SaslAuthenticate, " +
			"which a SASL login needs; Kafka 1.0 or later is needed, with a SASL listener"}
	}
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.SetVersion(wrappedHandshake)
	req.Mechanism = mechanism
	response, err := l.Request(ctx, req)
	if err != nil {
		return hungUp(err, mechanism)
	}
	message := response.(*kmsg.SASLHandshakeResponse)
	refused := &AuthError{Address: l.Address, Mechanism: mechanism, Code: message.ErrorCode}
	switch message.ErrorCode {
	case codeNone:
		return nil
	case codeUnsupportedMechanism:
		refused.Reason = "the broker does not offer this mechanism on this listener"
		if len(message.SupportedMechanisms) > 0 {
			refused.Reason += ", but " + printable(strings.Join(message.SupportedMechanisms, ", "))
		}
		refused.Advice = "choose one of the broker's mechanisms (sasl.mechanism, sasl.enabled.mechanisms)"
	case codeIllegalSaslState:
		refused.Reason = "this listener has no SASL"
		refused.Advice = "use the port of a SASL listener, or connect without SASL"
	default:
		return &CodeError{Code: message.ErrorCode, Context: "SaslHandshake of " + l.Address}
	}
	return refused
}

// converse carries the conversation, and returns how long the login holds and
// since when, at the earliest.
func converse(ctx context.Context, l *Link, mechanism string, talk sasl.Conversation) (session time.Duration, began time.Time, err error) {
	version, _ := l.Versions.Pick(keySaslAuthenticate, 0, newestAuthenticate)
	failed := func(reason error) error {
		advice := "check that this broker is the right one and that its credentials of this user are"
		if errors.Is(reason, sasl.ErrRefused) {
			advice = "the broker has not been asked: check the credentials with who gives them out"
		}
		return &AuthError{Address: l.Address, Mechanism: mechanism, Reason: shown(talk, reason.Error()), Advice: advice}
	}
	step := func(challenge []byte) (reply []byte, err error) {
		err = calmly("the login of "+mechanism, func() (err error) { reply, err = talk.Step(challenge); return err })
		return reply, err
	}
	reply, err := step(nil)
	if err == nil && reply == nil {
		err = errors.New("the mechanism has nothing to say")
	}
	if err != nil {
		return 0, began, failed(err)
	}
	for range mostRounds {
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.SetVersion(version)
		req.SASLAuthBytes = reply
		began = time.Now()
		response, err := l.Request(ctx, req)
		if err != nil {
			return 0, began, hungUp(err, mechanism)
		}
		message := response.(*kmsg.SASLAuthenticateResponse)
		if message.ErrorCode != codeNone {
			return 0, began, refusal(l.Address, mechanism, talk, message)
		}
		challenge := message.SASLAuthBytes
		if challenge == nil {
			challenge = []byte{}
		}
		switch reply, err = step(challenge); {
		case err != nil:
			return 0, began, failed(err)
		case reply == nil:
			return sessionOf(message.SessionLifetimeMillis), began, nil
		}
	}
	return 0, began, failed(fmt.Errorf("the broker did not come to an end in %d rounds", mostRounds))
}

// refusal is the broker's no.
func refusal(address, mechanism string, talk sasl.Conversation, message *kmsg.SASLAuthenticateResponse) error {
	text := "the broker gives no reason"
	if message.ErrorMessage != nil && *message.ErrorMessage != "" {
		text = shown(talk, *message.ErrorMessage)
	}
	advice := "check the user name and password, or the token, and that the cluster knows them for this mechanism"
	if mechanism == "GSSAPI" { // the KDC has let the user in
		advice = "check that the service name and the host are the broker's, that its keytab has the keys that the KDC has now, and its clock"
	}
	switch message.ErrorCode {
	case codeAuthenticationFailed, codeIllegalSaslState, codeUnsupportedMechanism:
		return &AuthError{Address: address, Mechanism: mechanism, Code: message.ErrorCode, Reason: text, Advice: advice}
	}
	return &CodeError{Code: message.ErrorCode, Context: mechanism + " authentication at " + address + " (" + text + ")"}
}

// hungUp explains a connection that ends during the login: brokers hang up on
// who is late or makes no sense to them, and so do firewalls.
func hungUp(err error, mechanism string) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the broker closed the connection during %s authentication; "+
			"is this a SASL listener of this cluster, and not behind a firewall? (%w)", mechanism, err)
	}
	return err
}

// sessionOf makes sense of a session lifetime; 0: it does not end.
func sessionOf(ms int64) time.Duration {
	if ms <= 0 || ms >= int64(longestSession/time.Millisecond) {
		return 0
	}
	return max(time.Duration(ms)*time.Millisecond, leastSession)
}

// outlived says that the link must not be used for another request.
func (l *Link) outlived() bool { return !l.RenewAt.IsZero() && !time.Now().Before(l.RenewAt) }

// shown is a stranger's text, fit for a log: short, printable, and nothing of
// it if it repeats the secret.
func shown(talk sasl.Conversation, text string) string {
	if guard, ok := talk.(sasl.Guard); ok && guard.Repeats(text) {
		return "the broker gives a reason that repeats the secret, so it is not shown"
	}
	return printable(text)
}

// printable cuts a text and replaces what could act on a terminal or a log.
func printable(text string) string {
	const most = 300
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text[:min(len(text), most)], "?"))
	if len(text) > most {
		clean += "…"
	}
	return clean
}
