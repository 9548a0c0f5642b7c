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
	c         *Client
	link      *Link           // nil if there is none
	tried     map[string]bool // addresses that failed since one worked
	notBefore time.Time       // the broker wants to be left alone until then
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
	return &Telemetry{c: c, tried: make(map[string]bool)}
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
		return nil, &CodeError{Code: m.ErrorCode, Context: "GetTelemetrySubscriptions of " + t.link.Address}
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
		return nil, &ProtocolError{Address: t.link.Address, Reason: "it gave out a client instance id of zeros"}
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
		return &CodeError{Code: code, Context: "PushTelemetry of " + t.link.Address}
	}
	return nil
}

func (t *Telemetry) request(ctx context.Context, req kmsg.Request) (kmsg.Response, error) {
	ctx, release := t.c.join(ctx)
	defer release()
	if t.link != nil && t.link.outlived() {
		t.Close()
	}
	for reused := t.link != nil; ; reused = false {
		if err := t.connect(ctx); err != nil {
			return nil, err
		}
		if err := t.c.cfg.Wait(ctx, t.notBefore.Sub(t.c.cfg.Now())); err != nil {
			return nil, t.c.endOf(ctx)
		}
		address := t.link.Address
		response, throttle, err := t.link.request(ctx, req)
		if err == nil {
			t.notBefore = t.c.cfg.Now().Add(throttle)
			return response, nil
		}
		t.Close()
		if !reused || ctx.Err() != nil || !wentStale(err) {
			t.tried[address] = true
			return nil, fmt.Errorf("client metrics to %s: %w", address, err)
		}
	}
}

// connect opens a link unless there is one.
func (t *Telemetry) connect(ctx context.Context) error {
	if t.link != nil {
		return nil
	}
	address, err := t.choose(ctx)
	if err != nil {
		return err
	}
	link, err := t.c.Connect(ctx, address)
	if err == nil && !link.Versions.offersTelemetry() {
		link.Close()
		err = ErrNoTelemetry
	}
	if err != nil {
		t.tried[address] = true
		return fmt.Errorf("client metrics to %s: %w", address, err)
	}
	t.link, t.notBefore = link, time.Time{}
	clear(t.tried)
	return nil
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
func (t *Telemetry) Close() {
	if t.link != nil {
		t.link.Close()
		t.link = nil
	}
}
