package peers_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// program is one worker, as the comparison starts it.
type program struct {
	name string
	path string
	// shown is what it must say of the settings of plan, in its own words.
	shown     map[string]string
	keyed     bool // its own partitioner looks at keys
	unbounded bool // buffer.memory means nothing to it
}

// TestWorkers holds every worker to what it reports: a client that is fast
// because it sends something else is no peer.
func TestWorkers(t *testing.T) {
	bin := t.TempDir()
	buildGo(t, ".", bin, "./kring", "./franzgo", "./rawlimit", "./sarama", "./kafkago")
	for _, p := range programs(bin) {
		t.Run(p.name, func(t *testing.T) {
			switch p.name {
			case "java":
				buildJava(t, p.path)
			case "librdkafka":
				buildGo(t, "librdkafka", bin, ".")
				skipUnavailable(t, p.path)
			}
			t.Run("delivers", p.testDelivers)
			t.Run("partitions", p.testPartitions)
			t.Run("settings", p.testSettings)
			t.Run("defaults", p.testDefaults)
			t.Run("compressed", p.testCompressed)
			t.Run("busy", p.testBusy)
			t.Run("timetable", p.testTimetable)
			t.Run("blocked", p.testBlocked)
			t.Run("interrupted", p.testInterrupted)
			t.Run("unreachable", p.testUnreachable)
			t.Run("refused plan", p.testRefusedPlan)
		})
	}
}

func programs(bin string) []program {
	in := func(name string) string { return filepath.Join(bin, name) }
	return []program{
		{"kring", in("kring"), map[string]string{
			"acks": "1", "linger.ms": "7", "batch.size": "20000", "buffer.memory": "8388608", "max.in.flight.requests.per.connection": "3",
		}, true, false},
		{"franz-go", in("franzgo"), map[string]string{
			"RequiredAcks": "leader", "ProducerLinger": "7ms", "ProducerBatchMaxBytes": "20000", "MaxBufferedBytes": "8388608",
			"MaxProduceRequestsInflightPerBroker": "3", "DisableIdempotentWrite": "true", "RecordPartitioner": "manual",
		}, true, false},
		{"rawlimit", in("rawlimit"), map[string]string{"in flight": "3", "batch": "20000"}, false, true},
		{"sarama", in("sarama"), map[string]string{
			"Producer.RequiredAcks": "1", "Producer.Flush.Frequency": "7ms", "Producer.Flush.Bytes": "302220 (of a broker; counts 36 bytes of overhead per record)",
			"Net.MaxOpenRequests": "3", "Producer.Idempotent": "false", "Producer.Compression": "none", "Producer.Partitioner": "manual",
		}, true, true},
		{"kafka-go", in("kafkago"), map[string]string{
			"RequiredAcks": "one", "BatchTimeout": "7ms", "BatchBytes": "20000", "BatchSize": "201", "Async": "true",
			"buffer.memory": "8388608 (the worker's: the Writer has none)", "Balancer": "the record's partition",
		}, true, false},
		{"librdkafka", in("librdkafka"), map[string]string{
			"acks": "1", "linger.ms": "7", "batch.size": "20000", "queue.buffering.max.kbytes": "8192",
			"max.in.flight.requests.per.connection": "3", "enable.idempotence": "false", "partitioner": "explicit partitions",
		}, true, false},
		{"java", filepath.Join("java", "run"), map[string]string{
			"acks": "1", "linger.ms": "7", "batch.size": "20000", "buffer.memory": "8388608",
			"max.in.flight.requests.per.connection": "3", "enable.idempotence": "false", "compression.type": "none",
		}, true, false},
	}
}

func buildGo(t *testing.T, dir, bin string, packages ...string) {
	t.Helper()
	args := append([]string{"build", "-C", dir, "-o", bin + string(filepath.Separator)}, packages...)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		t.Fatalf("building the workers: %v\n%s", err, out)
	}
}

// buildJava skips the test where there is no JDK or no Maven.
func buildJava(t *testing.T, run string) {
	t.Helper()
	out, err := exec.Command(run, "build").CombinedOutput()
	if exitCode(err) == bench.ExitSkipped {
		t.Skip(strings.TrimSpace(string(out)))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// skipUnavailable skips the test of a worker that says it can not work here.
func skipUnavailable(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(path)
	if out, err := cmd.CombinedOutput(); exitCode(err) == bench.ExitSkipped {
		t.Skip(strings.TrimSpace(string(out)))
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// plan is a small flat-out run of n records.
func plan(n int64) bench.Config {
	return bench.Config{
		RunID: 7, Senders: 1, Mode: bench.ModeClosed, Partitioner: bench.PartitionerRoundRobin, Partitions: 12,
		Sizes: bench.FixedSize(100), Records: n, Seed: 1, Verify: bench.VerifyFull, Quiet: true, MaxLag: time.Minute, MaxSteal: 1,
		DrainTimeout: 20 * time.Second,
		Settings:     bench.Settings{Acks: "1", Linger: 5 * time.Millisecond, BatchSize: 16384, MaxInFlight: 5},
	}
}

// Every record is in the log, once, in order, byte for byte and where it was
// acknowledged.
func (p *program) testDelivers(t *testing.T) {
	for _, test := range []struct {
		name        string
		senders     int
		rate        int64
		partitioner string
		acks        string
		linger      time.Duration
		short       bool
	}{
		{"flat out, dealt round", 1, 0, bench.PartitionerRoundRobin, "1", 5 * time.Millisecond, true},
		{"flat out, keyless, idempotent", 1, 0, bench.PartitionerClient, "all", 5 * time.Millisecond, false},
		{"open loop", 1, 5000, bench.PartitionerRoundRobin, "1", 0, false},
		{"open loop, 8 senders, idempotent", 8, 5000, bench.PartitionerRoundRobin, "all", 0, true},
		{"open loop, linger", 4, 5000, bench.PartitionerClient, "1", time.Millisecond, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && !test.short {
				t.Skip("-short")
			}
			cfg := plan(5000)
			cfg.Senders, cfg.Rate, cfg.Partitioner = test.senders, test.rate, test.partitioner
			cfg.Settings.Acks, cfg.Settings.Idempotent, cfg.Settings.Linger = test.acks, test.acks == "all", test.linger
			if test.rate > 0 {
				cfg.Mode = bench.ModeOpen
			}
			var messages bytes.Buffer
			r, err := bench.Execute(t.Context(), bench.Session{Config: cfg, Worker: []string{p.path}, Messages: &messages})
			if err != nil {
				t.Fatalf("%v\n%s", err, &messages)
			}
			if code := bench.ExitCode(r, false, nil); code != bench.ExitOK && code != bench.ExitInvalid {
				t.Errorf("exit code %d: %+v, errors %v", code, r.Verify, r.Errors)
			}
			if r.Totals.Acked != 5000 || r.Verify.Read != 5000 || r.Totals.Offered != 5000 {
				t.Errorf("%d offered, %d acknowledged and %d read, want 5000", r.Totals.Offered, r.Totals.Acked, r.Verify.Read)
			}
			if m := r.Verify.Misplaced; m == nil || *m != 0 {
				t.Error("the offsets that were acknowledged were not checked")
			}
			if test.rate > 0 {
				checkTimes(t, r)
			}
		})
	}
}

// checkTimes: all records are timed, from when they were intended, and in the
// time that the timetable takes.
func checkTimes(t *testing.T, r *bench.Result) {
	t.Helper()
	l := r.Latency
	if l.Response == nil || l.Service == nil || l.Lag == nil || l.Call == nil {
		t.Fatalf("a distribution is missing: %+v", l)
	}
	if l.Response.N != 5000 || l.Lag.N != 5000 {
		t.Errorf("response of %d records and lag of %d, want 5000", l.Response.N, l.Lag.N)
	}
	if l.Response.P50 < l.Service.Min || l.Response.Max < l.Lag.Max {
		t.Errorf("response %+v is not behind lag %+v and service %+v", *l.Response, *l.Lag, *l.Service)
	}
	// The 5000th record of 5000 a second is due after a second, less 0.2 ms. On
	// a busy machine the window opens a moment after the timetable does.
	if w := time.Duration(r.Totals.WindowNs); w < 900*time.Millisecond {
		t.Errorf("the run took %v, want about 1s", w)
	}
	if r.Cost.CPUUserNs+r.Cost.CPUSysNs <= 0 {
		t.Error("CPU time was not measured")
	}
}

// Without its tools a worker says so in one line, with a code of its own.
func TestJavaIsSkippedWithoutJava(t *testing.T) {
	run, err := filepath.Abs(filepath.Join("java", "run"))
	if err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, tool := range []string{"sh", "dirname"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skipf("no %s on the PATH", tool)
		}
		if err := os.Symlink(path, filepath.Join(empty, tool)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(empty, "sh"), run)
	cmd.Env = []string{"PATH=" + empty}
	out, err := cmd.CombinedOutput()
	if code := exitCode(err); code != bench.ExitSkipped {
		t.Errorf("exit code %d, want %d", code, bench.ExitSkipped)
	}
	if text := string(out); !strings.HasPrefix(text, "java: skipped: no java") || strings.Count(text, "\n") != 1 {
		t.Errorf("it says %q, want one line about java", text)
	}
}
