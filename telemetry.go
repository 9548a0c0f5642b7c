package kring

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/cluster"
)

// ErrNoTelemetry is why there is no client instance id: the brokers take no
// client metrics, or the producer was told to push none.
var ErrNoTelemetry = errors.New("kring: this producer pushes no client metrics, so it has no client instance id")

// telemetry pushes the producer's metrics to the cluster, as far as its
// operators have subscribed to them (KIP-714). It starts when a broker offers
// to take metrics; no other broker costs a goroutine or a byte. It has a
// goroutine and a connection of its own, and reads what others count anyway, so
// whatever becomes of it, records are not held up.
//
//	offered ─► subscribe ◄──── after the interval ──── nothing is wanted
//	              │  ▲ ▲
//	   0.5 to 1.5 │  │ └─ UNKNOWN_SUBSCRIPTION_ID, UNSUPPORTED_COMPRESSION_TYPE: at once
//	    intervals │  └─── no answer: after a pause that doubles
//	              ▼
//	            push ──► interval ──► push … Close: the terminating push
type telemetry struct {
	p     *Producer
	dials atomic.Uint64 // connections that were made

	mu        sync.Mutex
	running   bool
	over      bool          // it will not be started any more
	collector *collector    // of the goroutine
	instance  [16]byte      // zero: not known yet
	failed    error         // why the last run has ended
	changed   chan struct{} // closed with each change of the two
	done      chan struct{} // of the run: closed at its end

	ctx    context.Context // ends what is under way when Close wants the last push
	cancel context.CancelCauseFunc
	final  atomic.Pointer[context.Context] // of the last push; nil: Close has not begun
}

func (t *telemetry) init(p *Producer) {
	t.p = p
	t.collector = newCollector(p)
	t.changed = make(chan struct{})
	t.ctx, t.cancel = context.WithCancelCause(p.ctx)
}

// ClientInstanceID is the name that the cluster has given this producer for the
// metrics that it pushes: the client_instance_id with which they arrive where
// the operators look at them. It is Kafka's text for it, 22 characters, and does
// not change. Log it once, and the two sides can be brought together.
//
// It waits until a broker has answered or ctx ends. ErrNoTelemetry: the brokers
// take no metrics, or DisableMetricsPush was given. Java: clientInstanceId
// (KIP-714).
func (p *Producer) ClientInstanceID(ctx context.Context) (string, error) {
	ctx = orBackground(ctx)
	t := &p.telemetry
	if !p.cfg.metricsPush {
		return "", fmt.Errorf("%w: enable.metrics.push is false", ErrNoTelemetry)
	}
	for asked := false; ; asked = true {
		t.mu.Lock()
		id, failed, changed, idle := t.instance, t.failed, t.changed, !t.running
		hopeless := idle && (asked || t.over)
		t.mu.Unlock()
		switch {
		case id != [16]byte{}:
			return base64.RawURLEncoding.EncodeToString(id[:]), nil
		case p.closing.Load():
			return "", ErrClosed
		case hopeless && failed != nil:
			return "", failed
		case idle && !t.start():
			return "", ErrClosed
		}
		select {
		case <-changed:
		case <-p.closedEarly():
		case <-ctx.Done():
			return "", fmt.Errorf("kring: the cluster has not given this producer a client instance id yet: %w", ctx.Err())
		}
	}
}

// offered is called when a broker has answered for metadata. It never waits.
func (t *telemetry) offered() {
	if t.p.cfg.metricsPush && t.p.client.OffersTelemetry() {
		t.start()
	}
}

// start starts the goroutine unless it runs or has given up, and reports whether
// it runs.
func (t *telemetry) start() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running || t.over {
		return t.running
	}
	done := make(chan struct{})
	t.running = t.p.workers.tryRun(t.p.as("telemetry", func() { t.run(done) }))
	t.done = done
	return t.running
}

// note tells whoever waits for the instance id.
func (t *telemetry) note(change func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
	close(t.changed)
	t.changed = make(chan struct{})
}

// run is the goroutine.
func (t *telemetry) run(done chan struct{}) {
	defer close(done)
	s := &pusher{t: t, link: t.p.client.Telemetry(), collector: t.collector}
	defer s.link.Close()
	var err error
	for pause := time.Duration(0); err == nil && t.sleep(pause); {
		pause, err = s.step(t.ctx)
	}
	if final := t.final.Load(); final != nil && err == nil {
		s.terminate(*final)
	}
	t.note(func() {
		t.running = false
		t.failed = err
		// A broker without the plug-in may get it, or its successor has it.
		t.over = t.over || err != nil && !errors.Is(err, ErrNoTelemetry)
	})
}

// sleep waits for d. False: the producer is closing.
func (t *telemetry) sleep(d time.Duration) bool {
	if t.ctx.Err() != nil {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// lastPush bounds the terminating push of Close: what a broker makes of it is
// worth no more.
const lastPush = time.Second

var errLastPush = errors.New("kring: the producer is closing")

// close sends the last metrics, if any are wanted, and ends the goroutine.
func (t *telemetry) close(ctx context.Context) {
	t.mu.Lock()
	t.over = true
	running, done := t.running, t.done
	t.mu.Unlock()
	if !running {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastPush)
	defer cancel()
	t.final.Store(&ctx)
	t.cancel(errLastPush)
	select {
	case <-done:
	case <-ctx.Done(): // it ends by the same context, and workers are waited for
	}
}

// counting is dial, counted.
func (t *telemetry) counting(dial DialFunc) cluster.Dialer {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if conn, err = dial(ctx, network, address); err == nil {
			t.dials.Add(1)
		}
		return conn, err
	}
}

// staggered is a share between from and to of d, at random: a fleet that was
// started at once must not push at once.
func staggered(d time.Duration, from, to float64) time.Duration {
	return time.Duration(float64(d) * (from + rand.Float64()*(to-from)))
}
