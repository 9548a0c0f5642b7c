package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// stamped is a value of a run that a blind reader knows.
func stamped(run RunID, t tag) []byte {
	value := make([]byte, 40)
	putStamp(value, uint64(run), uint64(t))
	return value
}

// TestBlindVerifier gives one defect at a time to what two senders wrote to two
// partitions.
func TestBlindVerifier(t *testing.T) {
	const run = RunID(77)
	type record struct {
		partition int32
		value     []byte
	}
	sound := func() []record {
		var out []record
		for seq := range uint64(100) {
			for sender := range 2 {
				out = append(out, record{int32(seq % 2), stamped(run, makeTag(sender*9, seq))})
			}
		}
		return out
	}
	for _, tc := range []struct {
		name   string
		change func([]record) []record
		want   VerifyResult
	}{
		{"sound", func(r []record) []record { return r }, VerifyResult{Read: 200}},
		{"a gap", func(r []record) []record { return append(r[:50:50], r[51:]...) }, VerifyResult{Read: 199, Lost: 1}},
		{"the last one", func(r []record) []record { return r[:199] }, VerifyResult{Read: 199}}, // Nobody can tell.
		{"twice", func(r []record) []record { return append(r, r[7]) }, VerifyResult{Read: 201, Duplicated: 1}},
		{"out of order", func(r []record) []record {
			r[40], r[44] = r[44], r[40]
			return r
		}, VerifyResult{Read: 200, Reordered: 1}},
		{"altered", func(r []record) []record {
			r[30].value = bytes.Clone(r[30].value)
			r[30].value[17] ^= 1
			return r
		}, VerifyResult{Read: 200, Corrupt: 1, Lost: 1}},
		{"of another run", func(r []record) []record { return append(r, record{0, stamped(run+1, 5)}, record{1, []byte("x")}) }, VerifyResult{Read: 200, Foreign: 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := newBlindVerifier(run, 2)
			var next [2]int64
			for _, r := range tc.change(sound()) {
				v.Record(r.partition, next[r.partition], r.value)
				next[r.partition]++
			}
			got := v.Report(v.account())
			if got.Read != tc.want.Read || got.Lost != tc.want.Lost || got.Duplicated != tc.want.Duplicated ||
				got.Reordered != tc.want.Reordered || got.Corrupt != tc.want.Corrupt || got.Foreign != tc.want.Foreign {
				t.Errorf("%+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestVerifyTopicAfterwards: what retention took is not lost, but not there
// either; what nobody has is an error.
func TestVerifyTopicAfterwards(t *testing.T) {
	b := startCluster(t, 1<<20)
	s, _ := testSession(t)
	s.Config.Settings.Brokers, s.Config.Settings.Topic, s.Config.Partitions = b.Addrs(), "orders", 0
	r, err := Execute(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	check := TopicCheck{Brokers: b.Addrs(), Topic: "orders", RunID: r.RunID, Ledger: r.Ledger}
	found, err := VerifyTopic(t.Context(), check)
	if err != nil || found.Failed() || !strings.Contains(found.Incomplete, "retention") {
		t.Errorf("%v, %+v, want it incomplete", err, found)
	}
	if _, err := VerifyTopic(t.Context(), TopicCheck{Brokers: b.Addrs(), Topic: "nosuch"}); ExitCode(nil, false, err) != ExitUsage || !strings.Contains(err.Error(), "no topic nosuch") {
		t.Errorf("a topic that is not there: %v", err)
	}
	check.Ledger.Plan.Partitions++
	if _, err := VerifyTopic(t.Context(), check); err == nil || !strings.Contains(err.Error(), "had 5 when") {
		t.Errorf("other partitions: %v", err)
	}
	if _, err := VerifyTopic(t.Context(), TopicCheck{Brokers: []string{"127.0.0.1:1"}, Topic: "orders"}); err == nil {
		t.Error("nobody answers, and it is no error")
	}
}

// TestBusyCallers: senders that compute send no faster than that allows, and
// every record is timed.
func TestBusyCallers(t *testing.T) {
	c := testConfig()
	c.Records, c.Duration, c.Busy = 0, 300*time.Millisecond, time.Millisecond
	f := &fakeClient{partitions: 3}
	r := mustRun(t, t.Context(), c, f.library(), Output{})
	most := int64(c.Senders) * int64((time.Duration(r.Totals.WindowNs)+time.Second)/c.Busy)
	if r.Totals.Acked == 0 || r.Totals.Acked > most || r.Workload.BusyNs != int64(c.Busy) {
		t.Errorf("%d records, want at most %d: %+v", r.Totals.Acked, most, r.Workload)
	}
	if s := r.Latency.Service; s == nil || s.N != uint64(r.Totals.Acked) {
		t.Errorf("service %+v, want every record", s)
	}
	c.Mode, c.Rate = ModeOpen, 100
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("busy callers with a timetable: %v", err)
	}
}

// TestDefaults: nothing but what the user named reaches the library.
func TestDefaults(t *testing.T) {
	s := Settings{Acks: "1", Linger: time.Second, BatchSize: 5, BufferBytes: 6, MaxInFlight: 7, ClientID: "me", Defaults: true, Props: map[string]string{"retries": "3"}}
	if got := s.kringProperties(); len(got) != 2 || got["retries"] != "3" || got["client.id"] != "me" {
		t.Errorf("kring gets %v", got)
	}
	if got := s.properties(); len(got) != 1 {
		t.Errorf("the result shows %v", got)
	}
	session, _ := testSession(t)
	session.Config.Settings.Defaults, session.Config.Settings.Linger, session.Config.Records = true, time.Hour, 1000
	r, err := Execute(t.Context(), session)
	if err != nil || r.Totals.Acked != 1000 || r.Verify.Failed() {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestServeWorker(t *testing.T) {
	c := testConfig()
	plan, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	f := &fakeClient{partitions: 3}
	if err := ServeWorker(t.Context(), f.library(), bytes.NewReader(plan), &out, &progress); err != nil {
		t.Fatal(err)
	}
	r := &Result{}
	if err := json.Unmarshal(out.Bytes(), r); err != nil || r.Totals.Acked != 2000 || r.Ledger == nil {
		t.Errorf("%v, %+v", err, r.Totals)
	}
}

func TestTemporaryTopic(t *testing.T) {
	b := startCluster(t, 0)
	remove, err := TemporaryTopic(t.Context(), accessTo(t, b.Addrs()...), "mine", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
	if _, err := TemporaryTopic(t.Context(), accessTo(t, b.Addrs()...), "mine", 0, 0); err == nil {
		t.Error("a topic that exists already is no error") // This broker deletes none.
	}
	if _, err := TemporaryTopic(t.Context(), accessTo(t, "127.0.0.1:1"), "mine", 1, 1); err == nil {
		t.Error("nobody answers, and it is no error")
	}
}
