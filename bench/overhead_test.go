package bench

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// nullClient acknowledges at once: what is left is the harness.
type nullClient struct {
	done   Done
	serial bool
}

func (c *nullClient) CompletesSerially() bool { return c.serial }

func (c *nullClient) Produce(_ context.Context, r *Record) error {
	c.done(r.Tag, 0, 0, nil)
	return nil
}
func (c *nullClient) Flush(context.Context) error { return nil }
func (c *nullClient) Close(context.Context) error { return nil }

func nullLibrary(serial bool) Library {
	return Library{Name: "null", New: func(_ Settings, done Done) (Client, error) { return &nullClient{done, serial}, nil }}
}

// BenchmarkHarness is what a record costs without a client, both sides of it:
// making, handing over, and booking its end.
func BenchmarkHarness(b *testing.B) {
	for _, bc := range []struct {
		verify VerifyMode
		keys   string
		serial bool
	}{
		{VerifyNone, "none", true},
		{VerifyNone, "none", false},
		{VerifyNone, "uniform:1000", true},
		{VerifyFull, "none", true},
	} {
		b.Run(fmt.Sprintf("verify=%s/keys=%s/serial=%v", bc.verify, bc.keys, bc.serial), func(b *testing.B) {
			c := testConfig()
			c.Verify, c.Senders, c.Records = bc.verify, 1, int64(b.N)
			c.Keys, _ = ParseKeys(bc.keys)
			b.ReportAllocs()
			r, err := Run(context.Background(), c, nullLibrary(bc.serial), Output{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(r.Totals.WindowNs)/float64(b.N), "loop-ns/rec")
			b.ReportMetric(r.Cost.CPUPerRecordNs, "cpu-ns/rec")
			b.ReportMetric(r.Cost.AllocsPerRecord, "loop-allocs/rec")
		})
	}
}

// BenchmarkPacer is lag and price of every way to wait, at 20,000 records per
// second, with one sender and with eight.
func BenchmarkPacer(b *testing.B) {
	for _, senders := range []int{1, 8} {
		for _, method := range []string{PacerNanosleep, PacerTimerfd, PacerSleep} {
			b.Run(fmt.Sprintf("method=%s/senders=%d", method, senders), func(b *testing.B) {
				c := testConfig()
				c.Mode, c.Rate, c.Senders, c.Verify, c.Pacer = ModeOpen, 20_000, senders, VerifyNone, method
				c.Records, c.Duration = 0, time.Second
				for b.Loop() {
					r, err := Run(context.Background(), c, nullLibrary(false), Output{})
					if err != nil {
						b.Skip(err)
					}
					b.ReportMetric(float64(r.Latency.Wake.P50)/1e3, "wake-p50-µs")
					b.ReportMetric(float64(r.Latency.Wake.P99)/1e3, "wake-p99-µs")
					b.ReportMetric(r.Cost.CPUPerRecordNs/1e3, "cpu-µs/rec")
				}
			})
		}
	}
}

// TestHarnessDoesNotAllocate bounds what a record may cost the collector. The
// rest is what a run allocates however long it is: readings, timers, results.
func TestHarnessDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, verify := range []VerifyMode{VerifyNone, VerifyFull} {
		t.Run(string(verify), func(t *testing.T) {
			c := testConfig()
			c.Verify, c.Records = verify, 1_000_000
			r := mustRun(t, context.Background(), c, nullLibrary(false), Output{})
			if r.Cost.Allocs > 5000 {
				t.Errorf("%d allocations for 1,000,000 records", r.Cost.Allocs)
			}
		})
	}
}
