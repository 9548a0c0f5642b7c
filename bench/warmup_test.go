package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseWarmup(t *testing.T) {
	for _, tc := range []struct {
		text    string
		d       time.Duration
		records int64
	}{
		{"0", 0, 0},
		{"0s", 0, 0},
		{"10", 10 * time.Second, 0}, // as ever: seconds
		{"1.5", 1500 * time.Millisecond, 0},
		{"10s", 10 * time.Second, 0},
		{"10m", 10 * time.Minute, 0},
		{"200ms", 200 * time.Millisecond, 0},
		{"100k", 0, 100_000},
		{"100K", 0, 100_000},
		{"10M", 0, 10_000_000},
		{"1.5k", 0, 1500},
		{"1G", 0, 1_000_000_000},
		{"500records", 0, 500},
		{"1record", 0, 1},
		{"2k records", 0, 2000},
	} {
		if d, records, err := ParseWarmup(tc.text); err != nil || d != tc.d || records != tc.records {
			t.Errorf("ParseWarmup(%q) = %v, %d, %v, want %v, %d", tc.text, d, records, err, tc.d, tc.records)
		}
	}
	for _, text := range []string{"", "-1s", "-100k", "records", "1.5records", "100x", "100kk", "10 s", "500r"} {
		if d, records, err := ParseWarmup(text); err == nil {
			t.Errorf("ParseWarmup(%q) = %v, %d, want an error", text, d, records)
		}
	}
}

// TestWarmupByCount: the window opens when so many records were given to the
// client, and everything that was to be measured comes afterwards.
func TestWarmupByCount(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
	}{
		{"flat out", func(*Config) {}},
		{"a few outstanding", func(c *Config) { c.Outstanding = 3 }},
		{"busy callers", func(c *Config) { c.Busy = time.Microsecond }},
		{"less than a look at the signals", func(c *Config) { c.WarmupRecords = 5 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			c.Records = 500
			c.Duration = time.Hour // The count ends it.
			c.WarmupRecords = 3000
			tc.change(&c)
			r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3, async: true}).library(), Output{})
			if r.Totals.Sent != 500 || r.Totals.Acked != 500 || r.Totals.Bytes != 50_000 {
				t.Errorf("%+v, want 500 records of 50,000 bytes", r.Totals)
			}
			if r.Totals.Warmup < c.WarmupRecords || r.Workload.WarmupNs <= 0 {
				t.Errorf("a warm-up of %d records in %d ns, want %d", r.Totals.Warmup, r.Workload.WarmupNs, c.WarmupRecords)
			}
			if err := checkReport(&c, r); err != nil {
				t.Error(err)
			}
			c.WarmupRecords = r.Totals.Warmup + 1
			if err := checkReport(&c, r); r.Valid && (err == nil || !strings.Contains(err.Error(), "warm-up")) {
				t.Errorf("a result with a shorter warm-up: %v", err)
			}
		})
	}
}

// TestWarmupByCountThenTime: the time counts from the end of the warm-up.
func TestWarmupByCountThenTime(t *testing.T) {
	c := testConfig()
	c.Records, c.Duration, c.WarmupRecords, c.Verify = 0, 50*time.Millisecond, 2000, VerifyNone
	slow := &fakeClient{block: func(_ context.Context, at tag) error {
		if at == makeTag(0, 100) {
			time.Sleep(100 * time.Millisecond) // Longer than the measured phase: it must not be used up.
		}
		return nil
	}}
	c.Senders = 1
	r := mustRun(t, context.Background(), c, slow.library(), Output{})
	if r.Totals.Warmup < 2000 || r.Totals.WindowNs < int64(c.Duration) {
		t.Errorf("%+v", r.Totals)
	}
}

// TestWarmupIsInterrupted: nobody waits for records that will not be sent.
func TestWarmupIsInterrupted(t *testing.T) {
	c := testConfig()
	c.WarmupRecords = 1 << 40
	ctx, cancel := context.WithCancel(context.Background())
	f := &fakeClient{block: func(_ context.Context, at tag) error {
		if at.seq() == 1000 {
			cancel()
		}
		return nil
	}}
	if r := mustRun(t, ctx, c, f.library(), Output{}); !r.Partial || r.Totals.Acked != 0 && r.Totals.Warmup == 0 {
		t.Errorf("%+v", r.Totals)
	}
	c.WarmupRecords = 1 << 40
	refused := &fakeClient{refuse: func(tag) error { return fmt.Errorf("no") }}
	if r := mustRun(t, context.Background(), c, refused.library(), Output{}); r.Totals.Acked != 0 {
		t.Errorf("%+v", r.Totals)
	}
}

// TestWarmupByCountOfATimetable is exact: the timetable says when they are due.
func TestWarmupByCountOfATimetable(t *testing.T) {
	for _, tc := range []struct {
		arrival string
		rate    int64
		text    string
		want    int64
	}{
		{"constant", 5000, "501records", 501},
		{"constant", 999_999_999, "1k", 1000},
		{"constant", 7, "3records", 3},
		{"burst:100", 5000, "250records", 300},
		{"poisson", 5000, "70k", 70_000},
	} {
		t.Run(tc.arrival+" "+tc.text, func(t *testing.T) {
			c := testConfig()
			c.Mode, c.Rate, c.Senders = ModeOpen, tc.rate, 3
			var err error
			if c.Arrival, err = ParseArrival(tc.arrival); err != nil {
				t.Fatal(err)
			}
			if err := c.SetWarmup(tc.text); err != nil || c.WarmupRecords != 0 {
				t.Fatal(err, c.WarmupRecords)
			}
			rec, sum := newRecorder(&c, NewClock(), 0), int64(0)
			for sender := range c.Senders {
				sum += int64(rec.firstMeasured(&c, sender))
			}
			if sum != tc.want {
				t.Errorf("%d records in %v of warm-up, want %d", sum, c.Warmup, tc.want)
			}
		})
	}
	c := testConfig()
	c.Mode, c.Rate = ModeOpen, 1
	if err := c.SetWarmup("100M"); err == nil || !strings.Contains(err.Error(), "take more than") {
		t.Errorf("three years of warm-up: %v", err)
	}
}

func TestWarmupPlan(t *testing.T) {
	c := testConfig()
	if err := c.SetWarmup("2k"); err != nil || c.WarmupRecords != 2000 {
		t.Fatal(err, c.WarmupRecords)
	}
	var plan strings.Builder
	WritePlan(&plan, &c, Kring(), "")
	if !strings.Contains(plan.String(), "after 2,000 of warm-up") {
		t.Error(plan.String())
	}
	text, err := json.Marshal(&c)
	var back Config
	if err != nil || json.Unmarshal(text, &back) != nil || back.WarmupRecords != 2000 || back.Validate() != nil {
		t.Errorf("%s, %v", text, back.Validate())
	}
	if c.Duration = time.Second; c.workerBound() != 0 {
		t.Error("a worker is bounded, though nobody knows how long its warm-up takes")
	}
	c.Shard, c.StartAt = Shard{0, 2}, time.Now()
	c.Settings.Brokers = []string{"a:1"}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "--warmup of 2,000 records") {
		t.Error(err)
	}
}
