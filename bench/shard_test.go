package bench

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/5"); err != nil || s != (Shard{2, 5}) || s.String() != "2/5" {
		t.Errorf("%v, %v", s, err)
	}
	for _, bad := range []string{"", "1", "a/2", "1/b", "2/2", "-1/2", "0/0", "0/2000"} {
		if s, err := ParseShard(bad); err == nil {
			t.Errorf("%q is taken for %v", bad, s)
		}
	}
}

// TestShardsShareTheTimetable: n shards intend the records that one machine
// with n times the senders would, each record once.
func TestShardsShareTheTimetable(t *testing.T) {
	const senders, of = 3, 4
	end := int64(time.Second)
	whole := Config{Mode: ModeOpen, Rate: 1000, Senders: senders * of, Records: 1003}
	var want, got []int64
	times := func(c *Config, into []int64) []int64 {
		r := newRecorder(c, NewClock(), 0)
		for k := range c.Senders {
			for seq := range r.schedule.before(k, end) {
				into = append(into, r.schedule.intended(k, seq))
			}
		}
		return into
	}
	want = times(&whole, nil)
	records := int64(0)
	for i := range of {
		part := whole
		part.Senders, part.Shard = senders, Shard{i, of}
		got = times(&part, got)
		records += part.ownRecords()
		if rate := part.ownRate(); rate != 250 {
			t.Errorf("shard %d has a rate of %d", i, rate)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(got) != 1000 || !slices.Equal(got, want) {
		t.Errorf("the shards intend %d records, one machine %d, or at other times", len(got), len(want))
	}
	if records != 1003 {
		t.Errorf("the shards send %d records, want 1003", records)
	}
}

func TestShardChecks(t *testing.T) {
	good := Config{
		Mode: ModeOpen, Rate: 100, Senders: 2, Duration: time.Second, Sizes: FixedSize(100), Verify: VerifyFull,
		Partitioner: PartitionerClient, Settings: Settings{Acks: "all", Topic: "t", Brokers: []string{"a:1"}},
		Shard: Shard{1, 2}, StartAt: time.Now().Add(time.Hour),
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		want  string
		spoil func(c *Config)
	}{
		{"--start-at", func(c *Config) { c.StartAt = time.Time{} }},
		{"--brokers", func(c *Config) { c.Settings.Brokers = nil }},
		{"--topic", func(c *Config) { c.Settings.Topic = "" }},
		{"--verify count", func(c *Config) { c.Verify = VerifyCount }},
		{"24 bytes", func(c *Config) { c.Sizes = FixedSize(10) }},
		{"less than one record", func(c *Config) { c.Rate = 1 }},
		{"more than 4096", func(c *Config) { c.Senders = 4096 }},
	} {
		c := good
		if tc.spoil(&c); c.Validate() == nil || !strings.Contains(c.Validate().Error(), tc.want) {
			t.Errorf("got %v, want %q", c.Validate(), tc.want)
		}
	}
}

// TestLateShard: a machine that is not ready in time does not join in.
func TestLateShard(t *testing.T) {
	cfg := testConfig()
	cfg.StartAt = time.Now().Add(-time.Second)
	fake := &fakeClient{}
	_, err := Run(t.Context(), cfg, fake.library(), Output{})
	if err == nil || !strings.Contains(err.Error(), "later --start-at") || !fake.closed {
		t.Errorf("got %v, closed: %v", err, fake.closed)
	}
}

// TestVerifierKnowsItsShard: another shard's records are nobody's business.
func TestVerifierKnowsItsShard(t *testing.T) {
	value := func(sender int, seq uint64) []byte {
		v := make([]byte, 100)
		copy(v, newPool(1, FixedSize(100), 0).bodies[seq])
		putStamp(v, 7, uint64(makeTag(sender, seq)))
		return v
	}
	plan := VerifyPlan{RunID: 7, Partitions: 1, Senders: 4, Seed: 1, Sizes: FixedSize(100), Shard: Shard{1, 2}}
	v, err := NewVerifier(plan)
	if err != nil {
		t.Fatal(err)
	}
	for offset, sender := range []int{2, 0, 3, 1, 0} {
		v.Record(0, int64(offset), value(sender, 0))
	}
	r := v.Report(&Ledger{Plan: plan, Sent: []uint64{0, 0, 1, 2}, FailedAll: true})
	if r.Read != 2 || r.Lost != 1 || r.Duplicated != 0 || r.Corrupt != 0 {
		t.Errorf("%+v: want 2 read and the one that sender 3 sent last lost", r)
	}
}

func TestSharedRunID(t *testing.T) {
	if id := SharedRunID("00000000000000ff"); id != 255 {
		t.Errorf("an id is %v", id)
	}
	if a, b := SharedRunID("job-1"), SharedRunID("job-2"); a == b || a != SharedRunID("job-1") {
		t.Errorf("%v and %v", a, b)
	}
}
