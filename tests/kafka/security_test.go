//go:build kafka

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringkeystore"
	"github.com/kring-go/kring/sasl"

	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/kafka/rig"
	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

// sessionTime is how long a login holds on the SASL listeners.
const sessionTime = 2 * time.Second

// secure is a node with a listener of every kind.
type secure struct {
	*cluster
	*rig.Security
}

// TestSecurity runs on one node that is started for it, with TLS and SASL.
func TestSecurity(t *testing.T) {
	r, err := rig.Open()
	if err != nil {
		t.Fatal(err)
	}
	files, err := r.Secure(t.TempDir(), sessionTime)
	if err != nil {
		t.Fatal(err)
	}
	s := secure{need(t, 1, files.Lines...), files}
	if err := s.admin.AddScramUser(t.Context(), s.User, s.Password); err != nil {
		t.Fatal(err)
	}
	t.Run("protocols", s.testProtocols)
	t.Run("key stores", s.testKeyStores)
	t.Run("tokens", s.testTokens)
	t.Run("session", s.testSessions)
	t.Run("refused", s.testRefusals)
	t.Run("kbench", s.testKbench)
}

// testProtocols sends some records over each protocol, configured as a Java
// client would be.
func (s secure) testProtocols(t *testing.T) {
	tls := map[string]string{"ssl.truststore.type": "PEM", "ssl.truststore.location": s.CA}
	login := func(mechanism, module string) map[string]string {
		return map[string]string{
			"sasl.mechanism": mechanism,
			"sasl.jaas.config": fmt.Sprintf("org.apache.kafka.common.security.%s required username=%q password=%q;",
				module, s.User, s.Password),
		}
	}
	for _, tc := range []struct {
		name, address, protocol string
		properties              []map[string]string
	}{
		{"mTLS", s.SSL, "SSL", []map[string]string{tls, {"ssl.keystore.type": "PEM", "ssl.keystore.location": s.Client}}},
		{"PLAIN", s.SASLSSL, "SASL_SSL", []map[string]string{tls, login("PLAIN", "plain.PlainLoginModule")}},
		{"SCRAM-SHA-256", s.SASLSSL, "SASL_SSL", []map[string]string{tls, login("SCRAM-SHA-256", "scram.ScramLoginModule")}},
		{"SCRAM-SHA-512", s.SASLSSL, "SASL_SSL", []map[string]string{tls, login("SCRAM-SHA-512", "scram.ScramLoginModule")}},
		{"SCRAM without TLS", s.SASLPlain, "SASL_PLAINTEXT", []map[string]string{login("SCRAM-SHA-256", "scram.ScramLoginModule")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := map[string]string{"bootstrap.servers": tc.address, "security.protocol": tc.protocol}
			for _, part := range tc.properties {
				for name, value := range part {
					all[name] = value
				}
			}
			option, err := kring.FromProperties(all)
			if err != nil {
				t.Fatal(err)
			}
			plan := newPlan(t, s.topic(t, 4), 4, 5000)
			s.produce(t, plan, ledger.Pace{}, ledger.Rules{}, option)
		})
	}
}

// testKeyStores sends some records with the properties and the stores of a Java
// client, as keytool makes them.
func (s secure) testKeyStores(t *testing.T) {
	for _, kind := range []string{"JKS", "PKCS12"} {
		t.Run(kind, func(t *testing.T) {
			stores, err := s.Stores(t.Context(), t.TempDir(), kind)
			if err != nil {
				t.Fatal(err)
			}
			properties := map[string]string{
				"bootstrap.servers": s.SSL, "security.protocol": "SSL",
				"ssl.truststore.location": stores.Trust, "ssl.truststore.password": stores.Password,
				"ssl.keystore.location": stores.Key, "ssl.keystore.password": stores.Password, "ssl.key.password": stores.KeyPassword,
			}
			options, err := kringkeystore.FromProperties(properties)
			if err != nil {
				t.Fatal(err)
			}
			s.produce(t, newPlan(t, s.topic(t, 4), 4, 5000), ledger.Pace{}, ledger.Rules{}, options...)

			delete(properties, "ssl.truststore.location")
			delete(properties, "ssl.truststore.password")
			if options, err = kringkeystore.FromProperties(properties); err != nil {
				t.Fatal(err)
			}
			expectRefusal(t, options, "name the authority that signed", true)
		})
	}
}

// testSessions produces for several sessions' time. Every renewal falls into
// the load; nothing may be lost, doubled or out of order.
func (s secure) testSessions(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options []kring.Option
	}{
		{"TLS", []kring.Option{kring.Brokers(s.SASLSSL), kring.TLSFiles(s.CA, "", ""), kring.SASL(sasl.ScramSHA512(s.User, s.Password))}},
		{"plain TCP", []kring.Option{kring.Brokers(s.SASLPlain), kring.SASL(sasl.ScramSHA256(s.User, s.Password))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const interval = 100 * time.Microsecond
			plan := newPlan(t, s.topic(t, 4), 4, int(4*sessionTime/interval))
			plan.Sizes = ledger.FixedSize(200)
			log := connections{t: t}
			pace := ledger.Pace{Start: time.Now(), Interval: interval}
			stats := s.produce(t, plan, pace, ledger.Rules{}, append(tc.options, kring.Logger(slog.New(&log)))...)
			n := uint64(log.n.Load())
			t.Logf("%d connections, %d disconnects, %d retries", n, stats.Disconnects, stats.Retries)
			if n < 4 {
				t.Errorf("%d connections in %v, want one for each session of %v", n, 4*sessionTime, sessionTime)
			}
			// A machine that stands still for the last tenth of a session misses
			// its end, and the broker hangs up; that may happen, rarely.
			if 2*stats.Disconnects > n {
				t.Errorf("the broker ended %d of %d connections: they were not renewed in time", stats.Disconnects, n)
			}
		})
	}
}

// connections counts the connections to brokers, by their line in the log, and
// shows what went wrong.
type connections struct {
	t *testing.T
	n atomic.Int32
}

func (c *connections) Enabled(context.Context, slog.Level) bool { return true }
func (c *connections) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *connections) WithGroup(string) slog.Handler            { return c }
func (c *connections) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "kring: connected" {
		c.n.Add(1)
	}
	if r.Level >= slog.LevelWarn {
		line := r.Message
		r.Attrs(func(a slog.Attr) bool {
			line += " " + a.String()
			return true
		})
		c.t.Log(line)
	}
	return nil
}

// testRefusals: Produce says soon, and in words, why it can not work.
func (s secure) testRefusals(t *testing.T) {
	login := kring.SASL(sasl.ScramSHA512(s.User, s.Password))
	trust := kring.TLSFiles(s.CA, "", "")
	for _, tc := range []struct {
		name    string
		options []kring.Option
		want    string // in the error
		auth    bool   // it is ErrAuthentication, and comes at once
	}{
		{"wrong password, SCRAM", []kring.Option{kring.Brokers(s.SASLSSL), trust, kring.SASL(sasl.ScramSHA256(s.User, "canary-no"))}, "SCRAM-SHA-256 authentication failed", true},
		{"wrong password, PLAIN", []kring.Option{kring.Brokers(s.SASLSSL), trust, kring.SASL(sasl.Plain(s.User, "canary-no"))}, "PLAIN authentication failed", true},
		{"unknown mechanism", []kring.Option{kring.Brokers(s.SASLSSL), trust, kring.SASL(sasl.OAuthBearerToken("canary-no"))}, "does not offer this mechanism", true},
		{"wrong CA", []kring.Option{kring.Brokers(s.SASLSSL), kring.TLSFiles(s.StrangerCA, "", ""), login}, "name the authority that signed", true},
		{"wrong host name", []kring.Option{kring.Brokers(s.Elsewhere), trust}, "subject alternative names", true},
		{"no client certificate", []kring.Option{kring.Brokers(s.SSL), trust}, "client certificate", true},
		{"SASL on a listener without", []kring.Option{kring.Brokers(s.bootstrap...), kring.SASL(sasl.ScramSHA256(s.User, s.Password))}, "this listener has no SASL", true},
		{"TLS to a plaintext port", []kring.Option{kring.Brokers(s.bootstrap...), trust}, "is this a PLAINTEXT", false},
		{"plaintext to a TLS port", []kring.Option{kring.Brokers(s.SASLSSL)}, "TLS", false},
		{"plaintext to a SASL port", []kring.Option{kring.Brokers(s.SASLPlain)}, "SASL login", false},
		{"TLS without a login", []kring.Option{kring.Brokers(s.SASLSSL), trust}, "SASL login", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expectRefusal(t, tc.options, tc.want, tc.auth)
		})
	}
}

// expectRefusal holds the first Produce to what it should say; auth: it is
// ErrAuthentication, and comes at once.
func expectRefusal(t *testing.T, options []kring.Option, want string, auth bool) {
	t.Helper()
	limit := 2 * time.Second
	if auth {
		limit = time.Minute
	}
	p, err := kring.New(append(options, kring.MaxBlock(limit))...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(context.Background()) }() // it has nothing to send
	begin := time.Now()
	err = p.Produce(t.Context(), kring.Record{Topic: "t"}, nil)
	t.Logf("after %v: %v", time.Since(begin).Round(time.Millisecond), err)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
		t.Errorf("error %v, want one with %q and without the secret", err, want)
	}
	if got := errors.Is(err, kring.ErrAuthentication); got != auth {
		t.Errorf("is ErrAuthentication: %t, want %t", got, auth)
	}
	if took := time.Since(begin); auth && took > limit/2 {
		t.Errorf("the error came after %v", took)
	}
}

// produce sends a plan and holds the log to it, as franz-go reads it.
func (s secure) produce(t *testing.T, plan ledger.Plan, pace ledger.Pace, rules ledger.Rules, options ...kring.Option) kring.Stats {
	t.Helper()
	book := ledger.NewBook(plan, pace)
	p, err := kring.New(append(options, kring.OnDelivery(func(d kring.Delivery) { book.Complete(completed(d)) }))...)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Drive(t.Context(), book, &secureSender{p, plan.Topic}); err != nil {
		t.Error(err)
	}
	if got := book.Outcomes()["acked"]; got != plan.Records {
		t.Errorf("%d of %d records were acknowledged: %v", got, plan.Records, book.Outcomes())
	}
	checker := ledger.NewChecker(book, rules)
	if _, err := readback.Franz(t.Context(), s.bootstrap, plan.Topic, checker.Add); err != nil {
		t.Fatal(err)
	}
	if err := checker.Finish().Err(); err != nil {
		t.Error(err)
	}
	return p.Stats()
}

// secureSender is a producer whose delivery callback serves all records.
type secureSender struct {
	producer *kring.Producer
	topic    string
}

func (s *secureSender) Send(ctx context.Context, id ledger.ID, r *ledger.Record) error {
	record := senders.Record(id, r)
	record.Topic = s.topic
	return s.producer.Produce(ctx, record, nil)
}

func (s *secureSender) Close(ctx context.Context) error { return s.producer.Close(ctx) }

func completed(d kring.Delivery) ledger.Completion {
	c := ledger.Completion{ID: ledger.ID(d.Tag), Outcome: ledger.Acked, Partition: d.Partition, Offset: d.Offset, Timestamp: d.Timestamp}
	if d.Err != nil {
		c.Outcome, c.Offset = ledger.PossiblyPersisted, -1
	}
	return c
}
