package sasl

import (
	"context"
	"errors"
	"fmt"
)

// plain is RFC 4616.
type plain struct{ credentials }

// Plain sends user and password as they are. Use it with TLS only.
func Plain(user, password string) Mechanism {
	return plain{credentials{login: fixed(user, password), known: true}}
}

// PlainLogin is Plain with credentials that may change: each connection asks
// login for them.
func PlainLogin(login Login) Mechanism { return plain{credentials{login: login}} }

func (plain) Name() string        { return "PLAIN" }
func (plain) RevealsSecret() bool { return true }
func (plain) String() string      { return "PLAIN" }

func (p plain) Start(ctx context.Context, _ string) (Conversation, error) {
	user, password, err := p.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials for PLAIN: %w", err)
	}
	return &plainConversation{user: user, password: hide(password)}, nil
}

type plainConversation struct {
	user     string
	password secret
	sent     bool
}

func (c *plainConversation) Step(challenge []byte) ([]byte, error) {
	switch {
	case !c.sent:
		c.sent = true
		return []byte("\x00" + c.user + "\x00" + c.password()), nil
	case len(challenge) > 0:
		return nil, errors.New("the broker answers PLAIN with a challenge, which PLAIN does not have")
	}
	return nil, nil
}

func (c *plainConversation) Repeats(text string) bool { return c.password.repeats(text) }
