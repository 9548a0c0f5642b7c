package kring

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/compress"
)

// pusher is one life of the telemetry goroutine, and belongs to it.
type pusher struct {
	t         *telemetry
	link      *cluster.Telemetry
	collector *collector

	subscription *cluster.Subscription // nil: to be asked for
	codec        int8
	compressor   *compress.Compressor // nil: not compressed
	buf, packed  []byte
	failures     int // attempts since the last answer
}

const (
	// pushIntervalDefault holds where a broker says nothing that makes sense,
	// and is the longest pause after failures.
	pushIntervalDefault = 5 * time.Minute
	// pushIntervalLeast and pushIntervalMost are Kafka's limits.
	pushIntervalLeast = 100 * time.Millisecond
	pushIntervalMost  = time.Hour

	pushBackoff = time.Second
)

// Codes that no Produce response has.
const (
	codeUnknownSubscription KafkaError = 117
	codeTelemetryTooLarge   KafkaError = 118
)

// step is one exchange with the broker. It returns how long to wait for the
// next one, or why there will be none.
func (s *pusher) step(ctx context.Context) (time.Duration, error) {
	if s.subscription == nil {
		return s.subscribe(ctx)
	}
	return s.push(ctx, false)
}

// subscribe learns what is wanted.
func (s *pusher) subscribe(ctx context.Context) (time.Duration, error) {
	sub, err := s.link.Subscribe(ctx, s.t.instance)
	if err != nil {
		return s.failed(ctx, err)
	}
	s.failures = 0
	if sub.Interval <= 0 {
		sub.Interval = pushIntervalDefault
	}
	sub.Interval = min(max(sub.Interval, pushIntervalLeast), pushIntervalMost)
	if sub.Instance != s.t.instance {
		s.t.note(func() { s.t.instance = sub.Instance })
	}
	if len(sub.Metrics) == 0 {
		return s.rest(sub.Interval), nil
	}
	s.subscription = sub
	s.chooseCodec(sub.Codecs)
	s.collector.subscription = sub
	s.t.p.log.Debug("kring: the cluster wants metrics of this producer",
		"metrics", strings.Join(sub.Metrics, ","), "interval", sub.Interval, "codec", compress.Codec(s.codec).String())
	return s.rest(staggered(sub.Interval, 0.5, 1.5)), nil
}

// rest closes the connection if it would idle for too long.
func (s *pusher) rest(d time.Duration) time.Duration {
	if idle := s.t.p.cfg.connMaxIdle; s.subscription == nil || idle > 0 && d >= idle {
		s.link.Close()
	}
	return d
}

// chooseCodec takes the broker's first choice of those that kring has.
func (s *pusher) chooseCodec(codecs []int8) {
	s.codec, s.compressor = int8(compress.None), nil
	for _, c := range codecs {
		if compress.Codec(c) == compress.None {
			return
		}
		if z, err := compress.New(compress.Codec(c), compress.DefaultLevel); err == nil {
			s.codec, s.compressor = c, z
			return
		}
	}
}

// push sends what was counted since the last push that arrived.
func (s *pusher) push(ctx context.Context, terminating bool) (time.Duration, error) {
	sub := s.subscription
	message := &cluster.Push{Instance: sub.Instance, Subscription: sub.ID, Terminating: terminating}
	s.collector.readApp(ctx)
	var fits bool
	for _, extent := range []extent{{brokers: true, app: true}, {app: true}, {}} {
		if message.Metrics = s.encode(extent); sub.MaxBytes <= 0 || len(message.Metrics) <= sub.MaxBytes {
			fits = true
			break
		}
	}
	if !fits {
		s.subscription = nil
		return s.tooLarge(fmt.Errorf("%d bytes of metrics, and the broker takes %d", len(message.Metrics), sub.MaxBytes))
	}
	message.Codec = s.codec
	if err := s.link.Push(ctx, message); err != nil {
		return s.failed(ctx, err)
	}
	s.failures = 0
	s.collector.pushed()
	return s.rest(sub.Interval), nil
}

// encode makes the payload.
func (s *pusher) encode(e extent) []byte {
	data := s.collector.collect(time.Now(), e)
	s.buf = data.Append(s.buf[:0])
	if s.compressor == nil {
		return s.buf
	}
	packed, err := s.compressor.Append(s.packed[:0], s.buf)
	if err != nil { // never seen; the message says what is in it
		s.codec, s.compressor = int8(compress.None), nil
		return s.buf
	}
	s.packed = packed
	return s.packed
}

// terminate is the last push. Nobody is left to hear of its failure.
func (s *pusher) terminate(ctx context.Context) {
	if s.subscription == nil || ctx.Err() != nil {
		return
	}
	if _, err := s.push(ctx, true); err != nil {
		s.t.p.log.Debug("kring: the last metrics were not taken", "error", err)
	}
}

func (s *pusher) tooLarge(err error) (time.Duration, error) {
	s.t.p.log.Warn("kring: the metrics are too large for the broker and are not pushed; subscribe to fewer", "error", err)
	return s.rest(pushIntervalDefault), nil
}

// failed says what follows an exchange that failed: a pause, or the end.
func (s *pusher) failed(ctx context.Context, err error) (time.Duration, error) {
	if ctx.Err() != nil {
		return 0, nil
	}
	if errors.Is(err, cluster.ErrNoTelemetry) {
		return 0, fmt.Errorf("%w: %w", ErrNoTelemetry, err)
	}
	before := s.subscription
	s.failures++
	if code := (*cluster.CodeError)(nil); errors.As(err, &code) {
		s.subscription = nil
		switch KafkaError(code.Code) {
		case codeUnknownSubscription, UnsupportedCompressionType:
			if before != nil && s.failures == 1 {
				return 0, nil // the subscription has changed
			}
		case codeTelemetryTooLarge:
			return s.tooLarge(err)
		case ThrottlingQuotaExceeded:
			if before != nil {
				s.subscription = before
				return s.rest(before.Interval), nil
			}
			return s.rest(pushIntervalDefault), nil
		default: // what will not be better the next time
			s.t.p.log.Warn("kring: the cluster refuses this producer's metrics; no more are pushed", "error", err)
			return 0, fmt.Errorf("%w: %w", errTelemetryRefused, andAlso{err, KafkaError(code.Code)})
		}
	}
	s.t.p.log.Debug("kring: metrics were not pushed", "error", err)
	return s.rest(cluster.Backoff(pushBackoff, pushIntervalDefault, s.failures, rand.Float64)), nil
}

var errTelemetryRefused = errors.New("kring: the cluster refuses this producer's metrics")
