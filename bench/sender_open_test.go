package bench

import (
	"context"
	"strings"
	"testing"
	"time"
)

// sleepy is a pacer of a clock that only it moves: every so many waits end late.
type sleepy struct {
	now   *int64
	late  int64 // nanoseconds
	every int
	waits int
}

func (p *sleepy) wait(d int64) {
	*p.now += d
	if p.waits++; p.waits%p.every == 0 {
		*p.now += p.late
	}
}
func (*sleepy) stop()  {}
func (*sleepy) close() {}

// TestLateGeneratorIsInvalid: the client answers at once, so all of the response
// time is the generator's, whose wake-ups are late for most records although few
// of them are late. A client that is slow itself is no reason.
func TestLateGeneratorIsInvalid(t *testing.T) {
	for _, tc := range []struct {
		name    string
		late    time.Duration
		slow    time.Duration // of every 200th record's Produce
		invalid bool
	}{
		{"in time", 0, 0, false},
		{"one wake-up in 200 is late by 500 records", 50 * time.Millisecond, 0, true},
		{"the client is late", 0, 50 * time.Millisecond, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			c.Senders, c.Mode, c.Rate, c.Records, c.MaxLag = 1, ModeOpen, 10_000, 5000, 0
			now := int64(0)
			f := &fakeClient{block: func(_ context.Context, id tag) error {
				if id.seq()%200 == 100 {
					now += int64(tc.slow)
				}
				return nil
			}}
			r := &run{cfg: &c, lib: f.library(), clock: func() int64 { return now }, begin: newMeter(), end: newMeter()}
			if err := r.prepare(); err != nil {
				t.Fatal(err)
			}
			client, err := r.lib.New(c.Settings, r.rec.done)
			if err != nil {
				t.Fatal(err)
			}
			s := r.senders[0]
			s.pacer.close()
			s.client, s.pacer = client, &sleepy{now: &now, late: int64(tc.late), every: 200}
			s.openLoop(t.Context(), uint64(c.Records))
			res := &Result{}
			res.Latency.Wake = r.latency(1, func(sh *shard) *hist { return sh.wake })
			res.Latency.Response = r.latency(1, func(sh *shard) *hist { return sh.response })
			var reasons []string
			refuse := func(format string, _ ...any) { reasons = append(reasons, format) }
			r.judgeLag(res, refuse, func(string, ...any) {})
			if res.Latency.Response.N != 5000 {
				t.Fatalf("%d records were answered, want 5000", res.Latency.Response.N)
			}
			if got := strings.Contains(strings.Join(reasons, " "), "woke up late"); got != tc.invalid {
				t.Errorf("invalid is %v %v, want %v: wake-ups %+v, response %+v", got, reasons, tc.invalid, *res.Latency.Wake, *res.Latency.Response)
			}
		})
	}
}
