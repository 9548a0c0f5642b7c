package sasl

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"
)

// Mechanism is one way to log in. It is safe for concurrent use.
type Mechanism interface {
	// Name is the mechanism's name in the protocol, such as "PLAIN".
	Name() string
	// RevealsSecret says that whoever reads the messages can log in
	// afterwards, so that they must not cross a network without TLS.
	RevealsSecret() bool
	// Start begins the login at the broker of that host name. It may fetch
	// credentials. Its errors are taken for temporary, unlike those of Step:
	// the connection is tried again.
	Start(ctx context.Context, host string) (Conversation, error)
}

// Conversation is one login.
type Conversation interface {
	// Step takes the broker's challenge and returns the reply. The challenge
	// is nil in the first call only. A nil reply ends the conversation, and
	// says that the client is satisfied; an error ends it, too, and the broker
	// is not trusted.
	Step(challenge []byte) (reply []byte, err error)
}

// Guard is a Conversation that knows its secret.
type Guard interface {
	// Repeats reports whether the text contains the secret. Such a text of
	// the broker's is never shown.
	Repeats(text string) bool
}

// Login returns the user and password to log in with. It is called for every
// connection, so it can follow credentials that change. It must be safe for
// concurrent use and return when its context ends: one that does not is left
// behind a second later. A panic is an error of the connection.
type Login func(ctx context.Context) (user, password string, err error)

// secret is a text that no formatting verb prints.
type secret func() string

func hide(text string) secret { return func() string { return text } }

// repeats is the Guard of all mechanisms. A secret of one or two bytes is in
// many a text by chance.
func (s secret) repeats(text string) bool {
	hidden := s()
	return len(hidden) > 2 && strings.Contains(text, hidden)
}

// fixed is the Login of credentials that never change.
func fixed(user, password string) Login {
	hidden := hide(password)
	return func(context.Context) (string, string, error) { return user, hidden(), nil }
}

// checkLogin refuses what no broker would take, in words that repeat nothing.
func checkLogin(user, password string) error {
	switch {
	case user == "":
		return errors.New("the user name is empty")
	case password == "":
		return errors.New("the password is empty")
	case !utf8.ValidString(user) || !utf8.ValidString(password):
		return errors.New("the user name or the password is not UTF-8")
	case strings.ContainsRune(user, 0) || strings.ContainsRune(password, 0):
		return errors.New("the user name or the password contains a NUL byte")
	}
	return nil
}

// credentials is what the mechanisms with user and password share.
type credentials struct {
	login Login
	known bool // the login never changes, and can be checked early
}

// Check reports credentials that can not be right, as far as that is known
// without asking anybody. kring.New calls it.
func (c credentials) Check() error {
	if c.login == nil {
		return errors.New("the function that returns the credentials is nil")
	}
	if !c.known {
		return nil
	}
	return checkLogin(must(c.login(context.Background())))
}

// must drops the error of a fixed login, which has none.
func must(user, password string, _ error) (string, string) { return user, password }

// get asks for the credentials.
func (c credentials) get(ctx context.Context) (user, password string, err error) {
	user, password, err = c.login(ctx)
	if err == nil {
		err = checkLogin(user, password)
	}
	return user, password, err
}
