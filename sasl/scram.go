package sasl

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"
)

const (
	// leastIterations is Kafka's own minimum for both hashes.
	leastIterations = 4096
	// mostIterations takes about a second, and no stored password has more.
	mostIterations = 1_000_000
)

// mechanism of RFC 5802 and 7677.
type scramMechanism struct {
	credentials
	name string
	hash scram.HashGeneratorFcn
}

// ScramSHA256 proves that it knows the password without sending it, and demands
// the same proof of the broker. Whoever reads along can guess at passwords
// afterwards: without TLS use a long random one.
func ScramSHA256(user, password string) Mechanism {
	return newScram("SCRAM-SHA-256", scram.SHA256, credentials{login: fixed(user, password), known: true})
}

// ScramSHA512 is ScramSHA256 with a longer hash.
func ScramSHA512(user, password string) Mechanism {
	return newScram("SCRAM-SHA-512", scram.SHA512, credentials{login: fixed(user, password), known: true})
}

// ScramSHA256Login is ScramSHA256 with credentials that may change: each
// connection asks login for them.
func ScramSHA256Login(login Login) Mechanism {
	return newScram("SCRAM-SHA-256", scram.SHA256, credentials{login: login})
}

// ScramSHA512Login is ScramSHA512 with credentials that may change: each
// connection asks login for them.
func ScramSHA512Login(login Login) Mechanism {
	return newScram("SCRAM-SHA-512", scram.SHA512, credentials{login: login})
}

func newScram(name string, hash scram.HashGeneratorFcn, c credentials) Mechanism {
	return scramMechanism{credentials: c, name: name, hash: hash}
}

func (m scramMechanism) Name() string      { return m.name }
func (scramMechanism) RevealsSecret() bool { return false }
func (m scramMechanism) String() string    { return m.name }

func (m scramMechanism) Start(ctx context.Context, _ string) (Conversation, error) {
	user, password, err := m.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials for %s: %w", m.name, err)
	}
	// Unprepared, since Kafka's brokers store what the bytes give: SASLprep
	// would turn a password with, say, a ligature into another one. A client of
	// its own for each login, because it remembers the keys of every salt that
	// a broker names, and a broker can name many.
	client, err := m.hash.NewClientUnprepped(user, password, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return &scramConversation{
		talk:     client.WithMinIterations(leastIterations).NewConversation(),
		password: hide(password),
	}, nil
}

type scramConversation struct {
	talk     *scram.ClientConversation
	password secret
	nonce    string // the client's half
	step     int
}

func (c *scramConversation) Step(challenge []byte) ([]byte, error) {
	c.step++
	if c.step == 2 {
		if err := checkServerFirst(string(challenge), c.nonce); err != nil {
			return nil, err
		}
	}
	reply, err := c.talk.Step(string(challenge))
	switch {
	case err != nil:
		return nil, err
	case c.step == 1:
		_, c.nonce, _ = strings.Cut(reply, ",r=")
	case c.step == 3 && c.talk.Valid():
		return nil, nil
	case c.step > 2:
		return nil, errors.New("the broker did not prove that it knows the password")
	}
	return []byte(reply), nil
}

func (c *scramConversation) Repeats(text string) bool { return c.password.repeats(text) }

// checkServerFirst holds the broker's first message to more than the library
// does: the nonce must be longer than ours, and the work bounded on both sides.
func checkServerFirst(message, nonce string) error {
	fields := strings.Split(message, ",")
	if len(fields) < 3 {
		return errors.New("the broker's SCRAM message is malformed")
	}
	theirs, ok := strings.CutPrefix(fields[0], "r=")
	if !ok || nonce == "" || !strings.HasPrefix(theirs, nonce) || len(theirs) == len(nonce) {
		return errors.New("the broker does not extend the nonce of this login: is it a replay?")
	}
	if salt, ok := strings.CutPrefix(fields[1], "s="); !ok || salt == "" {
		return errors.New("the broker's SCRAM message has no salt")
	}
	count, ok := strings.CutPrefix(fields[2], "i=")
	iterations, err := strconv.Atoi(count)
	if !ok || err != nil || iterations < leastIterations || iterations > mostIterations {
		return fmt.Errorf("the broker asks for %s iterations, want %d to %d",
			strconv.Quote(count[:min(len(count), 20)]), leastIterations, mostIterations)
	}
	return nil
}
