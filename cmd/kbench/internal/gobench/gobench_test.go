package gobench

import (
	"bytes"
	"math"
	"testing"

	"github.com/kring-go/kring/bench"
	"golang.org/x/perf/benchfmt"
)

func result(run bench.RunID, p99 int64) *bench.Result {
	r := &bench.Result{RunID: run, Valid: true}
	r.Client.Name, r.Client.Version, r.Client.Props = "kring", "v1", map[string]string{"acks": "all"}
	r.Workload.Mode, r.Workload.RateTarget, r.Workload.Size = bench.ModeOpen, 200_000, "mix:90%x128,10%x4096"
	r.Workload.Keys, r.Workload.Senders, r.Env.GOMAXPROCS = "zipf:100000,1.1", 4, 2
	r.Env.Kernel, r.Env.CPUModel, r.Broker.Embedded = "6.1", "Some  CPU\nwith lines", true
	r.Totals.Acked, r.Totals.RateAchieved, r.Cost.CPUPerRecordNs = 12_000_000, 199_999.5, 2050.25
	r.Latency.Response = &bench.Latency{P50: 100, P99: p99, P999: 2 * p99}
	return r
}

// TestParsesBack reads what was written with the parser that benchstat uses.
func TestParsesBack(t *testing.T) {
	var text bytes.Buffer
	other := result(3, 7_000_000)
	other.Valid = false
	if err := Write(&text, []*bench.Result{result(1, 2_920_000), result(2, 3_000_000), other}); err != nil {
		t.Fatal(err)
	}
	reader := benchfmt.NewReader(bytes.NewReader(text.Bytes()), "test")
	names, p99, valid := map[string]int{}, []float64{}, []string{}
	for reader.Scan() {
		switch rec := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Errorf("%v in\n%s", rec, &text)
		case *benchfmt.Result:
			names[string(rec.Name)]++
			v, ok := rec.Value("p99-sec")
			if !ok {
				t.Fatalf("no p99 in %+v", rec.Values)
			}
			p99 = append(p99, v)
			valid = append(valid, rec.GetConfig("valid"))
			if rec.GetConfig("cpu") != "Some CPU with lines" || rec.Iters != 12_000_000 {
				t.Errorf("cpu %q, %d iterations", rec.GetConfig("cpu"), rec.Iters)
			}
			if rate, ok := rec.Value("rec/s"); !ok || rate != 199_999.5 {
				t.Errorf("rate %v, %t", rate, ok)
			}
		}
	}
	if err := reader.Err(); err != nil {
		t.Fatal(err)
	}
	want := "Kbench/client=kring/acks=all/size=mix:90%x128,10%x4096/rate=200k/senders=4/keys=zipf:100000,1.1-2"
	if names[want] != 3 || len(names) != 1 {
		t.Errorf("names %v, want %s three times", names, want)
	}
	for i, ns := range []float64{2_920_000, 3_000_000, 7_000_000} {
		if math.Abs(p99[i]*1e9-ns) > 1e-3 {
			t.Errorf("p99 of run %d is %v s, want %v ns", i, p99[i], ns)
		}
	}
	if valid[0] != "true" || valid[2] != "false" {
		t.Errorf("valid is %v", valid)
	}
	units := reader.Units()
	if units.GetBetter("rec/s") != 1 || units.GetBetter("cpu-ns/rec") != -1 || units.GetBetter("p99-ns") != -1 {
		t.Errorf("directions %d, %d, %d", units.GetBetter("rec/s"), units.GetBetter("cpu-ns/rec"), units.GetBetter("p99-ns"))
	}
}
