package bench

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/bench/fault"
)

func TestParseFault(t *testing.T) {
	for text, want := range map[string]Fault{
		"at=30s,for=5s,kind=latency:50ms":             {fault.Fault{Kind: fault.Latency, Delay: 50 * time.Millisecond}, 30 * time.Second, 5 * time.Second, AllNodes},
		"at=30,for=5,kind=latency:0.5":                {fault.Fault{Kind: fault.Latency, Delay: 500 * time.Millisecond}, 30 * time.Second, 5 * time.Second, AllNodes},
		" kind=bandwidth:20MB/s, for=1m,at=0,node=2 ": {fault.Fault{Kind: fault.Bandwidth, Rate: 20e6}, 0, time.Minute, 2},
		"at=1s,for=1s,kind=bandwidth:16KiB":           {fault.Fault{Kind: fault.Bandwidth, Rate: 16 << 10}, time.Second, time.Second, AllNodes},
		"at=1s,kind=reset":                            {fault.Fault{Kind: fault.Reset}, time.Second, 0, AllNodes},
		"at=1s,for=2s,kind=reset,node=0":              {fault.Fault{Kind: fault.Reset}, time.Second, 2 * time.Second, 0},
		"at=1s,for=2s,kind=blackhole":                 {fault.Fault{Kind: fault.Blackhole}, time.Second, 2 * time.Second, AllNodes},
		"at=1s,for=2s,kind=broker-stop":               {fault.Fault{Kind: fault.BrokerStop}, time.Second, 2 * time.Second, AllNodes},
	} {
		got, err := ParseFault(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                                         "not name=value",
		"30s":                                      "not name=value",
		"for=5s,kind=blackhole":                    "at= is missing",
		"at=30s,for=5s":                            "kind= is missing",
		"at=30s,kind=blackhole":                    "for= is missing",
		"at=30s,kind=latency:5ms":                  "for= is missing",
		"at=1s,at=2s,for=1s,kind=reset":            "at is given twice",
		"at=-1s,for=5s,kind=reset":                 "negative",
		"at=soon,kind=reset":                       "not a duration",
		"at=1s,for=-5s,kind=reset":                 "negative",
		"at=1s,for=0s,kind=reset":                  "no duration",
		"at=1s,for=1s,kind=rain":                   `"rain" is not latency`,
		"at=1s,for=1s,kind=":                       "is not latency",
		"at=1s,for=1s,kind=latency":                "how much",
		"at=1s,for=1s,kind=latency:":               "not a duration",
		"at=1s,for=1s,kind=latency:-5ms":           "negative",
		"at=1s,for=1s,kind=bandwidth":              "how much",
		"at=1s,for=1s,kind=bandwidth:fast":         "not a number",
		"at=1s,for=1s,kind=blackhole:5":            "takes no value",
		"at=1s,for=1s,kind=reset,node=x":           "not a broker's number",
		"at=1s,for=1s,kind=reset,node=-1":          "not a broker's number",
		"at=1s,for=1s,kind=reset,node=99999999999": "not a broker's number",
		"at=1s,for=1s,kind=reset,till=3s":          "no such part",
		"at=1s;for=1s,kind=reset":                  "not a duration",
	} {
		if f, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %+v, %v; want %q", text, f, err, want)
		}
	}
}

// faultsOf reads a plan's faults.
func faultsOf(t *testing.T, texts ...string) []Fault {
	t.Helper()
	var list []Fault
	for _, text := range texts {
		f, err := ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

func TestCheckFaults(t *testing.T) {
	for _, tc := range []struct {
		name   string
		faults string
		plan   func(c *Config)
		want   string // "" is fine
	}{
		{"ends with the run", "at=4s,for=6s,kind=blackhole", nil, ""},
		{"ends after the run", "at=5s,for=6s,kind=blackhole", nil, "ends after the run, which is 10s long by --duration"},
		{"begins after the run", "at=11s,kind=reset", nil, "ends after the run"},
		{"by number", "at=0s,for=6s,kind=blackhole", func(c *Config) { c.Mode, c.Rate, c.Records = ModeOpen, 1000, 5000 }, "5s long by --num-records"},
		{"nobody knows how long", "at=1h,for=1h,kind=blackhole", func(c *Config) { c.Duration, c.Records = 0, 5000 }, ""},
		{"no latency", "at=1s,for=1s,kind=latency:0s", nil, "more than 0"},
		{"too much", "at=1s,for=1s,kind=latency:11m", nil, "up to 10m"},
		{"no bandwidth", "at=1s,for=1s,kind=bandwidth:0/s", nil, "1 byte per second or more"},
		{"one after the other", "at=1s,for=1s,kind=blackhole;at=2s,for=1s,kind=blackhole", nil, ""},
		{"overlap", "at=1s,for=2s,kind=blackhole;at=2s,for=1s,kind=blackhole", nil, "blackhole at 2s for 1s: it overlaps with blackhole at 1s for 2s"},
		{"overlap with all", "at=1s,for=2s,kind=latency:1ms,node=1;at=2s,for=1s,kind=latency:2ms", nil, "overlaps"},
		{"overlap on one", "at=1s,for=2s,kind=latency:1ms,node=1;at=2s,for=1s,kind=latency:2ms,node=1", nil, "overlaps"},
		{"two nodes", "at=1s,for=2s,kind=latency:1ms,node=1;at=2s,for=1s,kind=latency:2ms,node=2", nil, ""},
		{"two kinds", "at=1s,for=2s,kind=latency:1ms;at=1s,for=2s,kind=blackhole", nil, ""},
		{"twice at once", "at=1s,kind=reset;at=1s,kind=reset", nil, "overlaps"},
		{"in the middle", "at=1s,for=2s,kind=reset;at=2s,kind=reset", nil, "overlaps"},
		{"again", "at=1s,kind=reset;at=2s,kind=reset", nil, ""},
		{"too many", strings.TrimSuffix(strings.Repeat("at=1s,for=1s,kind=blackhole;", maxFaults+1), ";"), nil, "want up to 64"},
		{"from elsewhere", "", func(c *Config) { c.Faults = []Fault{{What: fault.Fault{Kind: "rain"}, At: -1, For: 1}} }, "no kind"},
		{"endless", "", func(c *Config) { c.Faults = []Fault{{What: fault.Fault{Kind: fault.Blackhole}}} }, "for= is missing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			c.Records, c.Duration = 0, 10*time.Second
			if tc.faults != "" {
				c.Faults = faultsOf(t, strings.Split(tc.faults, ";")...)
			}
			if tc.plan != nil {
				tc.plan(&c)
			}
			err := c.Validate()
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}

// TestFaultsOfOthers: only a library that is dialled for can be disturbed, and
// only brokers that exist.
func TestFaultsOfOthers(t *testing.T) {
	f := faultsOf(t, "at=0s,for=10ms,kind=blackhole")
	lib := (&fakeClient{}).library()
	c := testConfig()
	c.Faults = f
	if _, err := Run(t.Context(), c, lib, Output{}); ExitCode(nil, false, err) != ExitUsage {
		t.Errorf("a run of a library that can not: %v", err)
	}
	s, _ := testSession(t)
	s.Config.Faults = f
	for name, change := range map[string]func(s *Session){
		"another library":   func(s *Session) { s.Library = lib },
		"another program":   func(s *Session) { s.Worker = []string{"none"} },
		"several processes": func(s *Session) { s.Config.Procs, s.ProcCommand = 2, []string{"none"} },
		"no such node":      func(s *Session) { s.Config.Faults = faultsOf(t, "at=0s,kind=reset,node=2") },
		"node 0":            func(s *Session) { s.Config.Faults = faultsOf(t, "at=0s,kind=reset,node=0") },
	} {
		other := s
		change(&other)
		if err := other.Validate(); ExitCode(nil, false, err) != ExitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Faults = faultsOf(t, "at=0s,kind=reset,node=2", "at=1s,kind=reset")
	before := slices.Clone(c.Faults)
	given := c.Faults
	if err := c.placeFaults(map[int32]string{1: "a:1", 2: "b:2"}); err != nil || c.Faults[0].What.Address != "b:2" || c.Faults[1].What.Address != "" {
		t.Errorf("%v, %+v", err, c.Faults)
	}
	if !slices.Equal(given, before) {
		t.Errorf("the plan that was given has changed: %+v", given)
	}
	if err := c.placeFaults(map[int32]string{3: "c:3", 1: "a:1"}); ExitCode(nil, false, err) != ExitUsage || !strings.Contains(err.Error(), "[1 3]") {
		t.Errorf("%v", err)
	}
}

func TestFaultsTravel(t *testing.T) {
	c := testConfig()
	c.Faults = faultsOf(t, "at=1s,for=2s,kind=latency:3ms,node=0", "at=1s,for=2s,kind=bandwidth:3/s")
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back.Faults, c.Faults) {
		t.Errorf("%v, %+v", err, back.Faults)
	}
}

func TestFaultSteps(t *testing.T) {
	list := faultsOf(t, "at=2s,for=1s,kind=blackhole", "at=1s,for=1s,kind=blackhole", "at=1s,kind=reset", "at=0s,for=3s,kind=latency:1ms")
	want := []faultStep{
		{0, 3, true},
		{1 * time.Second, 1, true},
		{1 * time.Second, 2, true},
		{2 * time.Second, 1, false},
		{2 * time.Second, 0, true},
		{3 * time.Second, 0, false},
		{3 * time.Second, 3, false},
	}
	if got := faultSteps(list); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// TestFaultLoop goes through a run's faults without waiting for any.
func TestFaultLoop(t *testing.T) {
	plan := func(ctx context.Context, end time.Duration) *faultRun {
		c := testConfig()
		c.Faults = faultsOf(t, "at=1s,for=2s,kind=blackhole", "at=2s,kind=reset", "at=5s,for=1s,kind=latency:1ms")
		lib := Kring()
		f, err := newFaultRun(&c, &lib)
		if err != nil || c.Settings.Dial == nil {
			t.Fatalf("%v, or no dialler", err)
		}
		now := time.Duration(0)
		f.loop(ctx, func(until time.Duration) bool {
			if until >= end {
				return false
			}
			now = until
			return true
		}, func() int64 { return int64(now + time.Minute) })
		f.close()
		if f.holding() != "" {
			t.Errorf("%q holds after the end", f.holding())
		}
		return f
	}
	details := func(f *faultRun) (list []string) {
		for _, e := range f.events {
			list = append(list, time.Duration(e.TNs-int64(time.Minute)).String()+" "+e.Detail)
		}
		return list
	}
	f := plan(t.Context(), time.Hour)
	want := []string{"1s blackhole begins", "2s reset, 0 connections cut", "3s blackhole ends", "5s latency:1ms begins", "6s latency:1ms ends"}
	if got := details(f); !slices.Equal(got, want) || len(f.notes) != 0 {
		t.Errorf("%q, %q; want %q", got, f.notes, want)
	}
	f = plan(t.Context(), 3*time.Second)
	want = []string{"1s blackhole begins", "2s reset, 0 connections cut", "2s blackhole ends"}
	if got := details(f); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if len(f.notes) != 2 || !strings.Contains(f.notes[0], "cut short: the run had ended") || !strings.Contains(f.notes[1], "did not begin") {
		t.Errorf("notes %q", f.notes)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if f = plan(gone, 0); len(f.events) != 0 || !strings.Contains(strings.Join(f.notes, ""), "interrupted") {
		t.Errorf("%+v, %q", f.events, f.notes)
	}
}

// TestFaultsOnEmbeddedBroker has each kind in a run: nothing is lost, and who
// waits for the network shows it.
func TestFaultsOnEmbeddedBroker(t *testing.T) {
	const length = 150 * time.Millisecond
	for _, tc := range []struct {
		kind   string
		events int
		least  time.Duration // of the longest response
	}{
		{"latency:80ms,for=150ms", 2, 80 * time.Millisecond},
		{"bandwidth:2kB/s,for=150ms", 2, 20 * time.Millisecond},
		{"reset", 1, 0},
		{"reset,for=150ms", 2, 0},
		{"blackhole,for=150ms", 2, length / 2},
		{"broker-stop,for=150ms", 2, length / 2},
		{"broker-stop,for=150ms,node=2", 2, 0}, // Records without a key go to the other.
	} {
		t.Run(tc.kind, func(t *testing.T) {
			s, messages := testSession(t)
			c := &s.Config
			c.Mode, c.Rate, c.Records, c.Warmup, c.Duration = ModeOpen, 2000, 0, 100*time.Millisecond, 700*time.Millisecond
			s.Embedded.Nodes = 2
			c.Faults = faultsOf(t, "at=200ms,kind="+tc.kind)
			r, err := Execute(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			if ExitCode(r, false, nil) != ExitOK || r.Totals.Acked != 1400 || r.Verify.Read != 1600 {
				t.Errorf("totals %+v, verify %+v, invalid %q, errors %+v", r.Totals, r.Verify, r.InvalidReasons, r.Errors)
			}
			if got := time.Duration(r.Latency.Response.Max); got < tc.least {
				t.Errorf("the longest response is %v, want %v or more", got, tc.least)
			}
			if len(r.Events) != tc.events {
				t.Fatalf("events %+v", r.Events)
			}
			for i, e := range r.Events {
				at := 300*time.Millisecond + time.Duration(i)*length
				if e.Kind != "fault" || time.Duration(e.TNs) < at || !strings.HasPrefix(e.Detail, c.Faults[0].String()) {
					t.Errorf("event %+v, want one at %v", e, at)
				}
			}
			var summary strings.Builder
			WriteResult(&summary, r)
			if !strings.Contains(summary.String(), " fault   "+r.Events[0].Detail) || !strings.Contains(messages.String(), "faults "+c.Faults[0].plan()) {
				t.Errorf("the plan or the summary says nothing of the fault:\n%s%s", messages, &summary)
			}
		})
	}
}

// TestFaultsOfACluster: brokers that are not the run's own, found by their numbers.
func TestFaultsOfACluster(t *testing.T) {
	b, err := broker.Start(broker.Config{Brokers: 2, Partitions: 3, Keep: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s, _ := testSession(t)
	c := &s.Config
	c.Settings.Brokers, c.Settings.Topic = b.Addrs(), "orders"
	c.Mode, c.Rate, c.Records, c.Duration = ModeOpen, 2000, 0, 500*time.Millisecond
	c.E2E = true
	c.Faults = faultsOf(t, "at=100ms,for=100ms,kind=blackhole,node=2", "at=250ms,kind=reset,node=1")
	r, err := Execute(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if ExitCode(r, false, nil) != ExitOK || r.Verify.Read != 1000 || len(r.Events) != 3 || r.Latency.E2E.N != 1000 {
		t.Errorf("verify %+v, events %+v, invalid %q", r.Verify, r.Events, r.InvalidReasons)
	}
	if !strings.Contains(r.Events[0].Detail, "on node 2") {
		t.Errorf("%+v", r.Events)
	}
}
