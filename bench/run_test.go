package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func mustRun(t *testing.T, ctx context.Context, c Config, lib Library, o Output) *Result {
	t.Helper()
	r, err := Run(ctx, c, lib, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestClosedCounts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		sent   int64
	}{
		{"records", func(*Config) {}, 2000},
		{"uneven shares", func(c *Config) { c.Records, c.Senders = 1001, 7 }, 1001},
		{"fewer than senders", func(c *Config) { c.Records, c.Senders = 3, 8 }, 3},
		{"one outstanding", func(c *Config) { c.Outstanding = 1 }, 2000},
		{"round robin", func(c *Config) { c.Partitioner = PartitionerRoundRobin }, 2000},
		{"keys", func(c *Config) { c.Keys, _ = ParseKeys("seq") }, 2000},
		{"no verification", func(c *Config) { c.Verify = VerifyNone }, 2000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			tc.change(&c)
			f := &fakeClient{partitions: 3, async: true}
			r := mustRun(t, context.Background(), c, f.library(), Output{})
			if r.Totals.Sent != tc.sent || r.Totals.Acked != tc.sent || r.Totals.Failed+r.Totals.Unresolved != 0 {
				t.Errorf("%+v, want %d sent and acknowledged", r.Totals, tc.sent)
			}
			if r.Latency.Response != nil || r.Latency.Service == nil || r.Latency.Call == nil {
				t.Errorf("latencies %+v, want service and call only", r.Latency)
			}
			if c.Verify != VerifyFull {
				return
			}
			if v, err := f.verify(r.Ledger); err != nil || v.Failed() || v.Read != tc.sent {
				t.Errorf("%+v, %v, want %d records and no fault", v, err, tc.sent)
			}
		})
	}
}

func TestWarmupIsNotMeasured(t *testing.T) {
	for _, mode := range []Mode{ModeClosed, ModeOpen} {
		t.Run(string(mode), func(t *testing.T) {
			c := testConfig()
			c.Mode, c.Warmup = mode, 100*time.Millisecond
			if mode == ModeOpen {
				c.Rate = 5000
			}
			c.Records = 500
			r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{})
			if r.Totals.Sent != 500 || r.Totals.Acked != 500 || r.Totals.Warmup == 0 || r.Totals.Bytes != 50_000 {
				t.Errorf("%+v, want 500 records of 50,000 bytes behind some warm-up", r.Totals)
			}
			if mode == ModeOpen && r.Totals.Warmup != 500 {
				t.Errorf("warm-up of %d records, want 500 by the timetable", r.Totals.Warmup)
			}
			if got := sum([]int64{int64(r.Ledger.Sent[0]), int64(r.Ledger.Sent[1])}); got != 500+r.Totals.Warmup {
				t.Errorf("the ledger has %d records, want the warm-up as well", got)
			}
		})
	}
}

func TestOpenLoopSendsTheTimetable(t *testing.T) {
	for _, senders := range []int{1, 3} {
		t.Run(fmt.Sprint(senders), func(t *testing.T) {
			c := testConfig()
			c.Mode, c.Rate, c.Records, c.Duration, c.Senders = ModeOpen, 10_000, 0, 300*time.Millisecond, senders
			r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{})
			if r.Totals.Offered != 3000 || r.Totals.Sent != 3000 || r.Totals.Acked != 3000 {
				t.Errorf("%+v, want 3000", r.Totals)
			}
			for name, l := range map[string]*Latency{"response": r.Latency.Response, "lag": r.Latency.Lag, "service": r.Latency.Service} {
				if l == nil || l.N != 3000 {
					t.Errorf("%s: %+v, want 3000 values", name, l)
				}
			}
			// The window begins with the first record, which may be late.
			if late := r.Latency.Lag.Max; r.Totals.WindowNs+late < int64(290*time.Millisecond) {
				t.Errorf("300 ms of records were sent within %v, the latest by %v", time.Duration(r.Totals.WindowNs), time.Duration(late))
			}
		})
	}
}

// TestStallCounts is coordinated omission: a client that takes nothing for half
// a second must be charged for everything that was due meanwhile.
func TestStallCounts(t *testing.T) {
	const stall = 500 * time.Millisecond
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Senders = ModeOpen, 5000, 0, 1
	c.Duration = time.Second
	timer := func(d time.Duration) { <-time.After(d) }
	f := &fakeClient{partitions: 3, block: func(_ context.Context, t tag) error {
		if t.seq() == 1000 {
			timer(stall)
		}
		return nil
	}}
	r := mustRun(t, context.Background(), c, f.library(), Output{})
	if r.Totals.Acked != 5000 {
		t.Fatalf("%+v, want every record of the timetable in spite of the stall", r.Totals)
	}
	response, service := r.Latency.Response, r.Latency.Service
	if response.P99 < int64(stall)*8/10 {
		t.Errorf("response p99 %v, want nearly the stall of %v", time.Duration(response.P99), stall)
	}
	if response.P50 == 0 || service.P99 > response.P99/4 {
		t.Errorf("service p99 %v is not far below response p99 %v", time.Duration(service.P99), time.Duration(response.P99))
	}
	if response.Max < int64(stall) {
		t.Errorf("response max %v, want at least %v", time.Duration(response.Max), stall)
	}
}

// TestAcknowledgementStall stalls behind Produce: more records are outstanding
// than the ring of send times holds, and response still knows all of them.
func TestAcknowledgementStall(t *testing.T) {
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Senders, c.Verify = ModeOpen, 100_000, 0, 1, VerifyNone
	c.Duration = 500 * time.Millisecond
	handed := make(chan struct{}) // record 40 000, due after 400 ms
	f := &fakeClient{
		partitions: 3, async: true,
		block: func(_ context.Context, t tag) error {
			if t.seq() == 40_000 {
				close(handed)
			}
			return nil
		},
		service: func(t tag) {
			if t.seq() == 100 {
				<-handed
			}
		},
	}
	r := mustRun(t, context.Background(), c, f.library(), Output{})
	if r.Totals.Acked != 50_000 || r.Latency.Response.N != 50_000 {
		t.Fatalf("%+v, %d response times, want 50,000", r.Totals, r.Latency.Response.N)
	}
	if r.Latency.Response.P50 < int64(100*time.Millisecond) {
		t.Errorf("response p50 %v after a stall of at least 400 of 500 ms", time.Duration(r.Latency.Response.P50))
	}
	if len(r.Warnings) == 0 || !strings.Contains(strings.Join(r.Warnings, " "), "overwritten") {
		t.Errorf("warnings %q: nothing about send times that were overwritten", r.Warnings)
	}
}

func TestOutstandingIsBounded(t *testing.T) {
	c := testConfig()
	c.Outstanding = 3
	var now, most atomic.Int64
	f := &fakeClient{partitions: 3, async: true, block: func(context.Context, tag) error {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		return nil
	}, service: func(tag) { now.Add(-1) }}
	r := mustRun(t, context.Background(), c, f.library(), Output{})
	// service counts down before the token is free, so never more than the bound.
	if r.Totals.Acked != 2000 || most.Load() > int64(3*c.Senders) {
		t.Errorf("%d acknowledged, up to %d outstanding, want at most %d", r.Totals.Acked, most.Load(), 3*c.Senders)
	}
}

// keepingClient holds on to the memory of every value until it is done.
type keepingClient struct {
	done Done
	kept chan keptValue
	end  chan struct{}
	bad  atomic.Int64
}

type keptValue struct {
	tag   uint64
	value []byte
	copy  string
}

func (k *keepingClient) Produce(_ context.Context, r *Record) error {
	k.kept <- keptValue{r.Tag, r.Value, string(r.Value)}
	return nil
}

func (k *keepingClient) serve() {
	defer close(k.end)
	for v := range k.kept {
		if string(v.value) != v.copy {
			k.bad.Add(1)
		}
		k.done(v.tag, 0, 0, nil)
	}
}
func (k *keepingClient) Flush(context.Context) error { return nil }
func (k *keepingClient) Close(context.Context) error {
	close(k.kept)
	<-k.end
	return nil
}

func TestRetainingClientGetsStableMemory(t *testing.T) {
	for _, retaining := range []bool{true, false} {
		t.Run(fmt.Sprint(retaining), func(t *testing.T) {
			k := &keepingClient{kept: make(chan keptValue, 1000), end: make(chan struct{})}
			c := testConfig()
			c.Records = 20_000
			// One large value now and then leaves few slots: they come round.
			c.Sizes, _ = ParseSizes("mix:99.99%x100,0.01%x400KiB")
			lib := Library{Name: "keeping", Retaining: retaining, New: func(_ Settings, done Done) (Client, error) {
				k.done = done
				go k.serve()
				return k, nil
			}}
			if !retaining && raceEnabled {
				t.Skip("values change under the client's eyes, on purpose")
			}
			mustRun(t, context.Background(), c, lib, Output{})
			if retaining && k.bad.Load() > 0 {
				t.Errorf("%d values changed while the client held them", k.bad.Load())
			}
			if !retaining && k.bad.Load() == 0 {
				t.Error("no value changed: the test would not notice")
			}
		})
	}
}

func TestInterruptIsPartial(t *testing.T) {
	for _, mode := range []Mode{ModeClosed, ModeOpen} {
		t.Run(string(mode), func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			c := testConfig()
			c.Mode, c.Records, c.Duration = mode, 0, time.Hour
			if mode == ModeOpen {
				c.Rate = 1000
			}
			f := &fakeClient{partitions: 3, block: func(ctx context.Context, t tag) error {
				if t.seq() == 50 {
					cancel()
				}
				if t.seq() == 60 { // Blocked, as on a dead broker.
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}}
			r := mustRun(t, ctx, c, f.library(), Output{})
			if !r.Partial || ExitCode(r, false, nil) != ExitInterrupted {
				t.Errorf("partial %v, exit code %d", r.Partial, ExitCode(r, false, nil))
			}
			if r.Totals.Acked == 0 || r.Totals.Rejected != 0 || r.Totals.Sent != r.Totals.Acked {
				t.Errorf("%+v: what was called back is no error", r.Totals)
			}
			if v, err := f.verify(r.Ledger); err != nil || v.Failed() {
				t.Errorf("%+v, %v", v, err)
			}
		})
	}
}

func TestHopelessClientEnds(t *testing.T) {
	for _, outstanding := range []int{0, 1} {
		t.Run(fmt.Sprint(outstanding), func(t *testing.T) {
			c := testConfig()
			c.Records, c.Duration, c.Outstanding = 0, time.Hour, outstanding
			f := &fakeClient{refuse: func(tag) error { return errors.New("no") }}
			r := mustRun(t, context.Background(), c, f.library(Retaining()), Output{})
			if r.Totals.Rejected != rejectLimit*2 || r.Valid || ExitCode(r, false, nil) != ExitRuntime {
				t.Errorf("%+v, valid %v", r.Totals, r.Valid)
			}
		})
	}
}

func TestProgressLines(t *testing.T) {
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Duration, c.Interval = ModeOpen, 2000, 0, 400*time.Millisecond, 50*time.Millisecond
	var plain, csv bytes.Buffer
	mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{Progress: &plain, Intervals: &csv})
	lines := strings.Split(strings.TrimSpace(plain.String()), "\n")
	if len(lines) < 1 || strings.Contains(plain.String(), "\r") || !strings.Contains(lines[0], "rec/s") || !strings.Contains(lines[0], "response p50") {
		t.Errorf("plain progress:\n%s", plain.String())
	}
	if rows := strings.Count(csv.String(), "\n"); rows < 2 || !strings.HasPrefix(csv.String(), "t_ns,phase,acked") {
		t.Errorf("intervals:\n%s", csv.String())
	}
	var tty bytes.Buffer
	mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{Progress: &tty, TTY: true})
	if strings.Contains(tty.String(), "\n") || !strings.HasSuffix(tty.String(), "\r\x1b[K") {
		t.Errorf("terminal progress: %q", tty.String())
	}
}
