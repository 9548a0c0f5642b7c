package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ErrNoTelemetry reports a broker that takes no client metrics: it is older
// than Kafka 3.7, or has no plug-in that would do something with them.
var ErrNoTelemetry = errors.New("the broker takes no client metrics")

// Telemetry asks for the metrics that the cluster wants of its clients and
// sends them (KIP-714). It has a connection of its own, so that a broker which
// is slow to take metrics holds up nothing else. It is for one goroutine.
type Telemetry struct {
	c     *Client
	own   ownLink
	tried map[string]bool // addresses that failed since one worked
}

// Subscription is what the cluster wants of one client.
type Subscription struct {
	// Instance is the client instance id; the broker makes one up for a client
	// that has none.
	Instance [16]byte
	ID       int32
	// Codecs are the compression types that the broker takes, best first, with
	// Kafka's numbers. None of the list: not compressed.
	Codecs   []int8
	Interval time.Duration // between two pushes
	MaxBytes int           // of one push
	Delta    bool          // counters count since the last push
	// Metrics are prefixes of names. None: nothing is wanted. An empty one:
	// everything.
	Metrics []string
}

// Push is one message of metrics.
type Push struct {
	Instance     [16]byte
	Subscription int32
	Terminating  bool // the last one of this client
	Codec        int8
	Metrics      []byte
}

// OffersTelemetry reports whether the broker that was connected last for
// control requests takes client metrics.
func (c *Client) OffersTelemetry() bool { return c.telemetry.Load() }

// Telemetry makes the means to push metrics. It connects when it is used. The
// caller must close it.
func (c *Client) Telemetry() *Telemetry {
	t := &Telemetry{c: c, tried: make(map[string]bool)}
	t.own = ownLink{c: c, open: t.connect}
	return t
}

// offersTelemetry reports whether the broker takes client metrics.
func (v *Versions) offersTelemetry() bool {
	_, get := v.Pick(keyGetTelemetrySubscriptions, 0, newestTelemetry)
	_, push := v.Pick(keyPushTelemetry, 0, newestTelemetry)
	return get && push
}

// Subscribe asks what the cluster wants of the client instance. A zero instance
// asks for an id too. It makes one attempt.
func (t *Telemetry) Subscribe(ctx context.Context, instance [16]byte) (*Subscription, error) {
	req := kmsg.NewPtrGetTelemetrySubscriptionsRequest()
	req.ClientInstanceID = instance
	response, err := t.request(ctx, req)
	if err != nil {
		return nil, err
	}
	m := response.(*kmsg.GetTelemetrySubscriptionsResponse)
	if m.ErrorCode != codeNone {
		return nil, &CodeError{Code: m.ErrorCode, Context: "GetTelemetrySubscriptions of " + t.own.link.Address}
	}
	s := &Subscription{
		Instance: m.ClientInstanceID, ID: m.SubscriptionID, Codecs: m.AcceptedCompressionTypes,
		Interval: time.Duration(m.PushIntervalMillis) * time.Millisecond,
		MaxBytes: int(m.TelemetryMaxBytes), Delta: m.DeltaTemporality, Metrics: m.RequestedMetrics,
	}
	if instance != [16]byte{} {
		s.Instance = instance
	}
	if s.Instance == [16]byte{} {
		return nil, &ProtocolError{Address: t.own.link.Address, Reason: "it gave out a client instance id of zeros"}
	}
	return s, nil
}

// Push sends metrics. It makes one attempt, and a second one if the broker had
// closed the connection while it was idle.
func (t *Telemetry) Push(ctx context.Context, p *Push) error {
	req := kmsg.NewPtrPushTelemetryRequest()
	req.ClientInstanceID, req.SubscriptionID, req.Terminating = p.Instance, p.Subscription, p.Terminating
	req.CompressionType, req.Metrics = p.Codec, p.Metrics
	response, err := t.request(ctx, req)
	if err != nil {
		return err
	}
	if code := response.(*kmsg.PushTelemetryResponse).ErrorCode; code != codeNone {
		return &CodeError{Code: code, Context: "PushTelemetry of " + t.own.link.Address}
	}
	return nil
}

func (t *Telemetry) request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	ctx, release := t.c.join(ctx)
	defer release()
	response, _, err := t.own.request(ctx, func(*Versions) (kmsg.Request, error) { return req, nil })
	if lost := (*lostError)(nil); errors.As(err, &lost) {
		return nil, t.failed(lost.address, lost.error)
	}
	return response, err
}

// connect opens a link to a broker that takes metrics.
func (t *Telemetry) connect(ctx context.Context) (*Link, error) {
	address, err := t.choose(ctx)
	if err != nil {
		return nil, err
	}
	link, err := t.c.Connect(ctx, address)
	if err == nil && !link.Versions.offersTelemetry() {
		link.Close()
		err = ErrNoTelemetry
	}
	if err != nil {
		return nil, t.failed(address, err)
	}
	clear(t.tried)
	return link, nil
}

// failed notes that another broker is to be tried.
func (t *Telemetry) failed(address string, err error) error {
	t.tried[address] = true
	return fmt.Errorf("client metrics to %s: %w", address, err)
}

// choose is the address of the broker that control requests go to at present,
// or of another one while that one does not do.
func (t *Telemetry) choose(ctx context.Context) (string, error) {
	c := t.c
	if c.lock(ctx) != nil {
		return "", c.endOf(ctx)
	}
	defer c.unlock()
	if c.link != nil && !t.tried[c.link.Address] {
		return c.link.Address, nil
	}
	n := c.nodes.best(c.cfg.Now(), t.tried)
	if n == nil {
		clear(t.tried)
		n = c.nodes.best(c.cfg.Now(), nil)
	}
	if n == nil { // an answer without brokers
		return "", &UnreachableError{}
	}
	return n.address, nil
}

// Close closes the connection. The next request opens another one.
func (t *Telemetry) Close() { t.own.hangUp() }
