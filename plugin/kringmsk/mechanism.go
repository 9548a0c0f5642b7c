package kringmsk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/kring-go/kring/sasl"
)

const (
	name    = "AWS_MSK_IAM"
	version = "2020_10_22" // of the messages; there is no other

	// defaultExpiry is what Amazon's own client asks for.
	defaultExpiry = 15 * time.Minute
)

// Credentials are AWS credentials. Printed, they show no secret.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // of temporary credentials; empty: they are permanent
	// Expires is when they are not valid any more; the zero value: never, or
	// nobody knows.
	Expires time.Time
}

// Format prints Credentials without their secrets, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "Credentials(hidden, expire %v)", c.Expires) // nobody could be told
}

// Provider returns credentials that are valid now. It is called for every login,
// must be safe for concurrent use and return when its context ends.
type Provider func(ctx context.Context) (Credentials, error)

// Option changes the mechanism.
type Option func(*mechanism)

// Region is the AWS region that the brokers are in, for names that do not say
// so, such as those of a private DNS. Without it the region is read from the
// broker's name, as in b-1.demo.abc123.c2.kafka.eu-west-1.amazonaws.com.
func Region(region string) Option { return func(m *mechanism) { m.region = region } }

// UserAgent is the name under which logins appear in the brokers' logs, instead
// of "kring".
func UserAgent(agent string) Option { return func(m *mechanism) { m.agent = agent } }

// New returns the mechanism AWS_MSK_IAM, for kring.SASL.
func New(provider Provider, options ...Option) sasl.Mechanism {
	m := &mechanism{provider: provider, agent: "kring", now: time.Now}
	for _, option := range options {
		option(m)
	}
	return m
}

// mechanism holds no secret: that lies with the provider.
type mechanism struct {
	provider Provider
	region   string // empty: the host says it
	agent    string
	now      func() time.Time
}

func (*mechanism) Name() string        { return name }
func (*mechanism) RevealsSecret() bool { return true }
func (*mechanism) String() string      { return name }

// Check reports what can not work; kring.New calls it.
func (m *mechanism) Check() error {
	switch {
	case m.provider == nil:
		return errors.New("the function that returns the credentials is nil")
	case m.region != "" && !isRegion(m.region):
		return errors.New("want a region such as eu-west-1")
	}
	return nil
}

// Start signs for one broker.
func (m *mechanism) Start(ctx context.Context, host string) (sasl.Conversation, error) {
	// Brokers check the signature over the name in lower case and without the dot
	// that ends a fully qualified one.
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	region := m.region
	if region == "" {
		var err error
		if region, err = regionOf(host); err != nil {
			return nil, err
		}
	}
	keys, err := m.provider(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials for %s: %w", name, err)
	}
	now := m.now()
	if err := keys.check(now); err != nil {
		return nil, fmt.Errorf("credentials for %s: %w", name, err)
	}
	message, err := sign(ctx, keys, request{host: host, region: region, agent: m.agent, at: now, expiry: expiry(keys, now)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &conversation{
		message: func() []byte { return message },
		repeats: func(text string) bool { return keys.repeats(text) },
	}, nil
}

// expiry is how long the signed text serves: not longer than its keys.
func expiry(keys Credentials, now time.Time) time.Duration {
	if keys.Expires.IsZero() {
		return defaultExpiry
	}
	return max(time.Second, min(defaultExpiry, keys.Expires.Sub(now).Truncate(time.Second)))
}

func (c Credentials) check(now time.Time) error {
	switch {
	case c.AccessKeyID == "" || c.SecretAccessKey == "":
		return errors.New("the access key or its secret is empty")
	case !c.Expires.IsZero() && !now.Before(c.Expires):
		return fmt.Errorf("they expired at %v", c.Expires.Format(time.RFC3339))
	}
	return nil
}

// repeats says whether a text of the broker's contains a secret.
func (c Credentials) repeats(text string) bool {
	return strings.Contains(text, c.SecretAccessKey) || c.SessionToken != "" && strings.Contains(text, c.SessionToken)
}

// regionOf reads the region from a broker's name: the label after "kafka" or
// "kafka-serverless".
func regionOf(host string) (string, error) {
	labels := strings.Split(host, ".")
	for i, label := range labels[:len(labels)-1] {
		if next := labels[i+1]; (label == "kafka" || label == "kafka-serverless") && strings.Contains(host, ".amazonaws.") && isRegion(next) {
			return next, nil
		}
	}
	kind := "name"
	if net.ParseIP(host) != nil {
		kind = "address"
	}
	return "", fmt.Errorf("the %s %q does not say which AWS region the broker is in; give the option Region", kind, host)
}

// isRegion takes what has the form of a region. It goes into the signature, and
// must not change the form of what is signed.
func isRegion(text string) bool {
	if strings.Count(text, "-") < 2 {
		return false
	}
	return strings.IndexFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }) < 0
}

// conversation is one login: one message there, one back.
type conversation struct {
	message func() []byte
	repeats func(string) bool
	sent    bool
}

// Step ends well with the broker's own message.
func (c *conversation) Step(challenge []byte) ([]byte, error) {
	if !c.sent {
		c.sent = true
		return c.message(), nil
	}
	var answer struct {
		Version string `json:"version"`
	}
	switch err := json.Unmarshal(challenge, &answer); {
	case len(challenge) == 0:
		return nil, errors.New("the broker answers nothing; is it one of Amazon MSK?")
	case err != nil:
		return nil, errors.New("the broker's answer is not JSON; is it one of Amazon MSK?")
	case answer.Version != version:
		return nil, errors.New("the broker's answer is not of version " + version)
	}
	return nil, nil
}

// Repeats is what sasl.Guard wants.
func (c *conversation) Repeats(text string) bool { return c.repeats(text) }
