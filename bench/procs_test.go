package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// secondFails is a worker of which the second process of a run breaks.
func secondFails() {
	text, err := io.ReadAll(os.Stdin)
	var plan Config
	if err != nil || json.Unmarshal(text, &plan) != nil || plan.Shard.Index == 1 {
		_, _ = os.Stderr.WriteString("planted\n")
		os.Exit(ExitRuntime)
	}
	if err := ServeWorker(context.Background(), Kring(), bytes.NewReader(text), os.Stdout, os.Stderr); err != nil {
		os.Exit(ExitCode(nil, false, err))
	}
	os.Exit(ExitOK)
}

// executeProcs gives processes that are too slow for their start a later one.
func executeProcs(t *testing.T, ctx context.Context, make func() Session) (*Result, error) {
	t.Helper()
	for lead := 2 * time.Second; ; lead *= 3 {
		s := make()
		s.Config.StartAt = time.Now().Add(lead)
		r, err := Execute(ctx, s)
		if err == nil || lead > time.Minute || !strings.Contains(err.Error(), "later --start-at") {
			return r, err
		}
	}
}

func TestProcs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
	}{
		{"every record", func(*Config) {}},
		{"count", func(c *Config) { c.Verify = VerifyCount }},
		{"at a rate", func(c *Config) { c.Mode, c.Rate, c.Warmup = ModeOpen, 20_000, 100*time.Millisecond }},
		{"values of a file", func(c *Config) {
			from := fileConfig(t)
			c.Payload, c.PayloadFile, c.Sizes = from.Payload, from.PayloadFile, from.Sizes
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			command := self(t, "worker")
			var messages *bytes.Buffer
			var plan Config
			r, err := executeProcs(t, t.Context(), func() Session {
				var s Session
				s, messages = testSession(t)
				s.ProcCommand, s.Config.Procs = command, 3
				s.Config.Records = 5001
				s.Config.Interval = 20 * time.Millisecond
				tc.change(&s.Config)
				plan = s.Config
				return s
			})
			if err != nil {
				t.Fatalf("%v\n%s", err, messages)
			}
			v := &r.Verify
			if r.Totals.Acked != 5001 || v.Read != 5001+r.Totals.Warmup || v.Failed() || v.Mode != plan.Verify || r.Workload.Senders != 3*plan.Senders || r.Workload.Records != 5001 {
				t.Errorf("%+v\n%+v\n%+v", r.Totals, r.Workload, v)
			}
			if plan.Verify == VerifyFull && v.Misplaced == nil {
				t.Errorf("no offsets were compared: %+v", v)
			}
			if plan.Mode == ModeOpen && (r.Workload.RateTarget != 20_000 || r.Totals.Offered != 5001 || r.Totals.Warmup != 2000) {
				t.Errorf("%+v %+v", r.Workload, r.Totals)
			}
			if r.Shard != nil || !strings.Contains(messages.String(), "in each of 3 processes") {
				t.Errorf("%+v\n%s", r.Shard, messages)
			}
		})
	}
}

// TestProcsFail names the process, ends the others, and keeps its exit code.
func TestProcsFail(t *testing.T) {
	command := self(t, "second fails")
	s, _ := testSession(t)
	s.ProcCommand, s.Config.Procs = command, 3
	s.Config.Records, s.Config.Duration = 0, time.Hour
	_, err := Execute(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "process 1 of 3") || !strings.Contains(err.Error(), "planted") || ExitCode(nil, false, err) != ExitRuntime {
		t.Errorf("%v", err)
	}
}

// TestProcsInterrupted: all of them hear it, and what they sent is verified.
func TestProcsInterrupted(t *testing.T) {
	command := self(t, "worker")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := executeProcs(t, ctx, func() Session {
		s, _ := testSession(t)
		s.ProcCommand, s.Config.Procs = command, 2
		s.Config.Records, s.Config.Duration, s.Config.Interval = 0, time.Hour, 20*time.Millisecond
		s.Messages = &onBoth{then: cancel}
		return s
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Partial || r.Totals.Acked == 0 || r.Verify.Read == 0 || r.Verify.Failed() || ExitCode(r, false, nil) != ExitInterrupted {
		t.Errorf("partial %v, %+v, %+v", r.Partial, r.Totals, r.Verify)
	}
}

// onBoth calls back when both processes have told of records under way.
type onBoth struct {
	mu   sync.Mutex
	seen bytes.Buffer
	then func()
}

func (o *onBoth) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen.Write(text)
	told := func(name string) bool {
		return slices.ContainsFunc(strings.Split(o.seen.String(), "\n"), func(line string) bool {
			return strings.HasPrefix(line, name) && strings.Contains(line, "rec/s") && !strings.Contains(line, " 0 rec/s")
		})
	}
	if told("[0/2] ") && told("[1/2] ") {
		o.then()
	}
	return len(text), nil
}

func TestProcsContradict(t *testing.T) {
	for _, tc := range []struct {
		change func(*Session)
		want   string
	}{
		{func(s *Session) { s.Config.Procs = -1 }, "--procs is -1"},
		{func(s *Session) { s.Config.Procs = 5000 }, "--procs is 5000"},
		{func(s *Session) { s.Config.Senders = maxSenders }, "of 2 processes"},
		{func(s *Session) { s.Config.Mode, s.Config.Rate = ModeOpen, 1 }, "--rate 1"},
		{func(s *Session) { s.Config.WarmupRecords = 5 }, "--warmup of 5 records"},
		{func(s *Session) { s.Config.Profiles.Heap = os.DevNull }, "a profile is of one process"},
		{func(s *Session) { s.ProcCommand = nil }, "no program"},
		{func(s *Session) { s.Config.Shard = Shard{0, 2} }, "contradicts --shard"},
		{func(s *Session) { s.Intervals = io.Discard }, "--format csv"},
	} {
		s, _ := testSession(t)
		s.Config.Procs, s.ProcCommand = 2, []string{"x"}
		tc.change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
}

func TestNamedLines(t *testing.T) {
	var out bytes.Buffer
	n := &namedLines{name: "[0/2] ", to: &out, mu: new(sync.Mutex)}
	for _, part := range []string{"a", "b\nc\n", "\nd"} {
		if _, err := n.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "[0/2] ab\n[0/2] c\n[0/2] \n" {
		t.Errorf("%q", got)
	}
}

// TestLedgersAdd: what one process does not know is not known of the run.
func TestLedgersAdd(t *testing.T) {
	l := &Ledger{FailedAll: true, Digests: make([]uint64, 2)}
	l.add(&Ledger{Sent: []uint64{4}, Acked: 3, Failed: []tag{makeTag(0, 1)}, FailedAll: true, Digests: []uint64{1, 1 << 63}})
	l.add(&Ledger{Sent: []uint64{0, 6}, Acked: 6, FailedAll: true, Digests: []uint64{2, 1 << 63}})
	if !slices.Equal(l.Sent, []uint64{4, 6}) || l.Acked != 9 || len(l.Failed) != 1 || !l.FailedAll || !slices.Equal(l.Digests, []uint64{3, 0}) {
		t.Errorf("%+v", l)
	}
	l.add(&Ledger{Sent: []uint64{0, 0, 1}, Acked: 1})
	if l.Digests != nil || l.FailedAll {
		t.Errorf("%+v", l)
	}
}
