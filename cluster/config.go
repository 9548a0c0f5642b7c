package cluster

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/kring-go/kring/sasl"
)

// Dialer opens a connection, as net.Dialer.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Config says how to reach a cluster. The zero value of every field but
// Bootstrap is usable: it means Kafka's default, or the real world for the
// hooks. Connect and NewClient copy the Config; it is immutable from then on.
type Config struct {
	// Bootstrap lists the addresses to start from, as ParseBootstrap takes
	// them. Only NewClient reads it.
	Bootstrap []string

	// ClientID names the application in every request.
	ClientID string
	// SoftwareName and SoftwareVersion name the library; brokers count
	// connections by them (KIP-511). Letters, digits, '-' and '.' only.
	SoftwareName, SoftwareVersion string

	// Dial replaces the default dialer. It must return when its context
	// ends, or Close will wait for it. A host name is then passed to it
	// unresolved unless Resolver is set as well, since only the dialer
	// knows in whose network the name means something.
	Dial Dialer
	// Resolver finds the addresses of a host name. Sharing one between
	// connections is what lets a dead address be avoided the next time.
	Resolver *Resolver
	// Handshake is where TLS belongs. It runs once on every connection
	// after TCP is up and before the first Kafka byte, gets the host that
	// was asked for (the name to verify a certificate against, not the
	// address that was dialled), and returns the connection to use from
	// then on. It must not read beyond its own handshake. Deadlines are set
	// by Connect, which also closes conn if Handshake fails. TLS makes one.
	Handshake func(ctx context.Context, conn net.Conn, host string) (net.Conn, error)
	// SASL logs every connection in, right after its request versions are
	// known. Nil connects without a login.
	SASL sasl.Mechanism

	// SendBuffer and ReceiveBuffer size the socket's buffers; zero or less
	// leaves them to the operating system.
	SendBuffer, ReceiveBuffer int

	// SetupTimeout bounds TCP's part of Connect, over all addresses of the
	// host together. A Client doubles it with each failure of a broker, up
	// to SetupTimeoutMax (KIP-601).
	SetupTimeout, SetupTimeoutMax time.Duration
	// RequestTimeout bounds one request, and the handshake of a connection.
	RequestTimeout time.Duration
	// RetryBackoff and its maximum space the retries of an answer that
	// says "not now".
	RetryBackoff, RetryBackoffMax time.Duration
	// ReconnectBackoff and its maximum space the attempts at one broker.
	ReconnectBackoff, ReconnectBackoffMax time.Duration
	// AuthBackoff and its maximum space the attempts at a broker that has
	// refused the login or with which TLS is impossible: trying again soon
	// changes nothing, and may get the account locked. The default is 1 s to
	// 30 s.
	AuthBackoff, AuthBackoffMax time.Duration

	// NoAutoCreate tells brokers not to create the topics asked for.
	NoAutoCreate bool
	// NoRebootstrap keeps the client with the brokers it knows, even when
	// none of them answers any more.
	NoRebootstrap bool
	// RebootstrapTrigger is how long metadata may fail before the client
	// goes back to the bootstrap list even though not every known broker
	// has been tried (KIP-1102).
	RebootstrapTrigger time.Duration

	// ClusterID is the id of the cluster, and no broker of another is ever
	// spoken to. Empty: the first one that a broker tells, until every
	// bootstrap address tells another.
	ClusterID string
	// NoClusterCheck compares no ids.
	NoClusterCheck bool

	// MaxFrame bounds the size of a response.
	MaxFrame int

	// Logger gets what no caller is told: a broker that failed while
	// another answered, entries of a response that were dropped.
	Logger *slog.Logger

	// Now, Wait and Rand are the clock and the dice, for tests. They rule
	// backoff, throttle and triggers; deadlines of connections are real
	// time, since the kernel knows no other. Rand
	// returns a number in [0, 1); a Client never calls it concurrently.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
	Rand func() float64
}

const (
	defaultMaxFrame = 100 << 20 // Kafka's socket.request.max.bytes; no sane response comes near

	defaultSoftware = "kring"
	defaultVersion  = "unknown"
)

// withDefaults returns a copy of c in which every field is set.
func (c Config) withDefaults() Config {
	setDefault(&c.SoftwareName, defaultSoftware)
	setDefault(&c.SoftwareVersion, defaultVersion)
	setDefault(&c.SetupTimeout, 10*time.Second)
	setDefault(&c.SetupTimeoutMax, max(30*time.Second, c.SetupTimeout))
	setDefault(&c.RequestTimeout, 30*time.Second)
	setDefault(&c.RetryBackoff, 100*time.Millisecond)
	setDefault(&c.RetryBackoffMax, max(time.Second, c.RetryBackoff))
	setDefault(&c.ReconnectBackoff, 50*time.Millisecond)
	setDefault(&c.ReconnectBackoffMax, max(time.Second, c.ReconnectBackoff))
	setDefault(&c.AuthBackoff, max(time.Second, c.ReconnectBackoff))
	setDefault(&c.AuthBackoffMax, max(30*time.Second, c.AuthBackoff))
	setDefault(&c.RebootstrapTrigger, 5*time.Minute)
	setDefault(&c.MaxFrame, defaultMaxFrame)
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
		if c.Resolver == nil {
			c.Resolver = NewResolver(nil)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var unset T
	if *field == unset {
		*field = value
	}
}

// wait sleeps for d or until ctx ends, whose error it then returns.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
