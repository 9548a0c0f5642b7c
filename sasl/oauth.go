package sasl

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Token is what OAUTHBEARER logs in with. Printed, it shows no value.
type Token struct {
	// Value is the token itself, without "Bearer".
	Value string
	// Expires is when it is not valid any more. A token that says so is used
	// for several connections, and replaced before it expires; the zero value
	// asks for a new token for each connection.
	Expires time.Time
	// Extensions are further pairs for the broker (KIP-342); names are ASCII
	// letters. Most brokers need none.
	Extensions map[string]string
}

// Format prints a Token without its value, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "Token(hidden, expires %v)", t.Expires) // nobody could be told
}

// TokenSource returns a token that is valid now. It must be safe for concurrent
// use and return when its context ends: until one that does not returns, there is
// no new token. A panic is an error of the connection.
type TokenSource func(ctx context.Context) (Token, error)

// oauth is RFC 7628.
type oauth struct {
	source TokenSource
	fixed  bool
	turn   chan struct{} // holds one token: the right to call source
}

// cache is the token of the last call, if it may be used again. It has a lock
// of its own, because a refusal must not wait for a call of source.
type cache struct {
	mu    sync.Mutex
	token *Token    // nil: none
	until time.Time // then a new one is wanted
}

// OAuthBearer logs in with a token (KIP-255). source is called when there is no
// token yet, when 80 % of the time until Token.Expires are over, and after a
// broker has refused the token; one call serves all connections that wait. Use it
// with TLS only. Package oidc has a source that fetches tokens.
func OAuthBearer(source TokenSource) Mechanism { return newOAuth(source, false) }

// OAuthBearerToken logs in with one token, for tests and short-lived programs:
// nothing replaces it when it expires.
func OAuthBearerToken(token string) Mechanism {
	hidden := hide(token)
	return newOAuth(func(context.Context) (Token, error) { return Token{Value: hidden()}, nil }, true)
}

func newOAuth(source TokenSource, fixed bool) Mechanism {
	o := &oauth{source: source, fixed: fixed, turn: make(chan struct{}, 1)}
	state := &cache{}
	o.turn <- struct{}{}
	return &oauthMechanism{oauth: o, state: state}
}

// oauthMechanism keeps the cache one pointer away from what is printed.
type oauthMechanism struct {
	oauth *oauth
	state *cache
}

func (*oauthMechanism) Name() string        { return "OAUTHBEARER" }
func (*oauthMechanism) RevealsSecret() bool { return true }
func (*oauthMechanism) String() string      { return "OAUTHBEARER" }

// Check reports a source that can not work.
func (m *oauthMechanism) Check() error {
	if m.oauth.source == nil {
		return errors.New("the function that returns the token is nil")
	}
	if !m.oauth.fixed {
		return nil
	}
	token, err := m.oauth.source(context.Background())
	if err != nil {
		return err
	}
	return token.check()
}

func (m *oauthMechanism) Start(ctx context.Context, _ string) (Conversation, error) {
	token, err := m.token(ctx)
	switch {
	case errors.Is(err, ErrRefused):
		return Refused(fmt.Errorf("token for OAUTHBEARER: %w", err)), nil
	case err != nil:
		return nil, fmt.Errorf("token for OAUTHBEARER: %w", err)
	}
	return &oauthConversation{token: func() Token { return token }, refused: m.forget}, nil
}

// token returns the token of before, or a new one. One call of the source
// serves all connections that wait for it.
func (m *oauthMechanism) token(ctx context.Context) (Token, error) {
	select {
	case <-m.oauth.turn:
		defer func() { m.oauth.turn <- struct{}{} }()
	case <-ctx.Done():
		return Token{}, context.Cause(ctx)
	}
	now := time.Now()
	if kept, until := m.state.look(); kept != nil && now.Before(until) {
		return *kept, nil
	}
	token, err := m.oauth.source(ctx)
	if err == nil {
		err = token.check()
	}
	if err != nil {
		if old, _ := m.state.look(); old != nil && time.Now().Before(old.Expires) {
			return *old, nil // the next connection asks again
		}
		return Token{}, err
	}
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	m.state.token = nil
	if !token.Expires.IsZero() {
		m.state.token, m.state.until = &token, now.Add(token.Expires.Sub(now)*8/10)
	}
	return token, nil
}

func (c *cache) look() (*Token, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token, c.until
}

// forget drops a token that a broker has refused, unless there is a newer one.
func (m *oauthMechanism) forget(refused Token) {
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	if m.state.token != nil && m.state.token.Value == refused.Value {
		m.state.token = nil
	}
}

// check refuses what would change the message around it, and what is over.
func (t Token) check() error {
	switch {
	case t.Value == "":
		return errors.New("the token is empty")
	case strings.IndexFunc(t.Value, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return errors.New("the token contains a blank, a control character or something else that no token has")
	case !t.Expires.IsZero() && !time.Now().Before(t.Expires):
		return fmt.Errorf("the token expired at %v", t.Expires.Format(time.RFC3339))
	}
	for name, value := range t.Extensions {
		if name == "" || name == "auth" || strings.IndexFunc(name, notLetter) >= 0 ||
			strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' || r > '~' }) >= 0 {
			return errors.New("an extension of the token has a name that is not of ASCII letters, or a value that is not printable")
		}
	}
	return nil
}

func notLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }

type oauthConversation struct {
	token   func() Token
	refused func(Token)
	step    int
}

// Step ends well with an empty challenge. Any other is the broker's reason in
// JSON; the client has to answer ^A, and then the broker says no.
func (c *oauthConversation) Step(challenge []byte) ([]byte, error) {
	c.step++
	switch {
	case c.step == 1:
		return c.first(), nil
	case len(challenge) == 0 && c.step == 2:
		return nil, nil
	case c.step > 2:
		return nil, errors.New("the broker has refused the token and does not say so")
	}
	c.refused(c.token())
	return []byte{1}, nil
}

func (c *oauthConversation) first() []byte {
	const separator = "\x01"
	token := c.token()
	message := "n,," + separator + "auth=Bearer " + token.Value
	for _, name := range slices.Sorted(maps.Keys(token.Extensions)) {
		message += separator + name + "=" + token.Extensions[name]
	}
	return []byte(message + separator + separator)
}

func (c *oauthConversation) Repeats(text string) bool {
	return strings.Contains(text, c.token().Value)
}
