package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
)

// embedded starts a broker for a test, and returns its address.
func embedded(t *testing.T) string {
	t.Helper()
	b, err := broker.Start(broker.Config{Addr: "127.0.0.1:0", Brokers: 1, Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // Close has nothing to report.
	return b.Addrs()[0]
}

// TestPerfTest: the flags and the last line are those of Kafka 4.3's tool.
func TestPerfTest(t *testing.T) {
	summary := regexp.MustCompile(`^(\d+) records sent, \d+\.\d{6} records/sec \(\d+\.\d\d MB/sec\), \d+\.\d\d ms avg latency, ` +
		`\d+\.\d\d ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th\.\n$`)
	addr := embedded(t)
	config := filepath.Join(t.TempDir(), "producer.properties")
	if err := os.WriteFile(config, []byte("acks=0\nbootstrap.servers="+addr+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"--throughput -1 --bootstrap-server " + addr,
		"--throughput 20000 --producer-props acks=1 linger.ms=10 bootstrap.servers=" + addr,
		"--producer-props acks=1 batch.size=1000 --throughput -1 --command-config " + config,
	} {
		code, stdout, stderr := kbench(t, append([]string{"perf-test", "--topic", "x", "--num-records", "3000", "--record-size", "100"}, strings.Fields(args)...)...)
		found := summary.FindStringSubmatch(stdout)
		if code != bench.ExitOK || found == nil || found[1] != "3000" {
			t.Errorf("%s: exit code %d, %q\n%s", args, code, stdout, stderr)
		}
		if due := strings.Contains(stderr, "was due"); due != strings.Contains(args, "20000") {
			t.Errorf("%s: latency from the timetable is told: %t", args, due)
		}
	}
}

// TestPerfTestSteadyState: as in Kafka's tool, with --warmup-records a second line
// leaves the first records out; all times are known, also those of a full buffer.
func TestPerfTestSteadyState(t *testing.T) {
	addr := embedded(t)
	code, stdout, stderr := kbench(t, strings.Fields("perf-test --topic x --num-records 300000 --record-size 20 --throughput -1 --warmup-records 100000 "+
		"--bootstrap-server "+addr)...)
	lines := strings.Split(stdout, "\n")
	if code != bench.ExitOK || len(lines) != 3 || !strings.HasPrefix(lines[0], "300000 records sent, ") ||
		!strings.HasPrefix(lines[1], "200000 steady state records sent, ") || strings.Contains(stderr, "overwritten") {
		t.Fatalf("exit code %d, %q\n%s", code, stdout, stderr)
	}
}

// TestPerfTestValues: --payload-monotonic counts, and --print-metrics prints what
// the producer has counted.
func TestPerfTestValues(t *testing.T) {
	b, err := broker.Start(broker.Config{Addr: "127.0.0.1:0", Brokers: 1, Partitions: 1, Verify: broker.VerifyFull})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // Close has nothing to report.
	code, stdout, stderr := kbench(t, "perf-test", "--topic", "x", "--num-records", "1000", "--payload-monotonic", "--throughput", "-1",
		"--bootstrap-server", b.Addrs()[0], "--print-metrics")
	if code != bench.ExitOK || !strings.Contains(stdout, "producer-metrics:acked-records:{client-id=perf-producer-client} : 1000.000\n") ||
		!strings.HasPrefix(stdout, "1000 records sent, ") {
		t.Fatalf("exit code %d, %q\n%s", code, stdout, stderr)
	}
	log, err := b.Log("x", 0)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for r := range log.Records() {
		if string(r.Value) != strconv.Itoa(i) {
			t.Fatalf("record %d is %q", i, r.Value)
		}
		i++
	}
	if i != 1000 {
		t.Errorf("%d records, want 1000", i)
	}
}

// TestPerfTestTransactions: a consumer of committed records sees all of them,
// in more than one transaction.
func TestPerfTestTransactions(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "x"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ends := atomic.Int32{}
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		ends.Add(1)
		return nil, nil, false
	})
	for _, args := range []string{"--num-records 300 --throughput 1000 --transaction-duration-ms 50", "--num-records 200 --throughput -1 --transactional-id me"} {
		code, stdout, stderr := kbench(t, strings.Fields("perf-test --topic x --record-size 10 --bootstrap-server "+c.ListenAddrs()[0]+" "+args)...)
		if code != bench.ExitOK {
			t.Fatalf("%s: exit code %d, %q\n%s", args, code, stdout, stderr)
		}
	}
	if n := ends.Load(); n < 3 {
		t.Errorf("%d transactions, want several and one", n)
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("x"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer consumer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for n := 0; n < 500; {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d records, then %v", n, err)
		}
		n += fetches.NumRecords()
	}
}

func TestVerifiable(t *testing.T) {
	code, stdout, stderr := kbench(t, "verifiable", "--bootstrap-server", embedded(t), "--topic", "x", "--max-messages", "10",
		"--throughput", "1000", "--value-prefix", "7", "--repeating-keys", "2", "--acks", "-1")
	if code != bench.ExitOK || stderr != "" {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	names, values := []string{}, map[string]string{}
	for line := range strings.Lines(stdout) {
		var e struct {
			Timestamp int64
			Name      string
			Key       string
			Value     string
			Topic     string
			Offset    *int64
			Sent      int64
			Acked     int64
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Timestamp == 0 {
			t.Fatalf("%q: %v", line, err)
		}
		if names = append(names, e.Name); e.Name == "producer_send_success" {
			values[e.Value] = e.Key
			if e.Topic != "x" || e.Offset == nil {
				t.Errorf("%q", line)
			}
		}
		if e.Name == "tool_data" && (e.Sent != 10 || e.Acked != 10) {
			t.Errorf("%q", line)
		}
	}
	if len(names) != 13 || names[0] != "startup_complete" || names[11] != "shutdown_complete" || names[12] != "tool_data" {
		t.Errorf("events %v", names)
	}
	if len(values) != 10 || values["7.0"] != "0" || values["7.9"] != "1" {
		t.Errorf("values %v", values)
	}
}

// TestVerifiableTellsOfFailures: what is refused has an event, too.
func TestVerifiableTellsOfFailures(t *testing.T) {
	code, stdout, _ := kbench(t, "verifiable", "--bootstrap-server", embedded(t), "--topic", "not a topic", "--max-messages", "2")
	if code != bench.ExitRuntime || strings.Count(stdout, `"name":"producer_send_error"`) != 2 || !strings.Contains(stdout, `"sent":2,"acked":0`) {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestKafkaToolUsage(t *testing.T) {
	for _, tc := range []struct{ args, text string }{
		{"perf-test --topic x --num-records 1 --record-size 1 --throughput -1", "--bootstrap-server"},
		{"perf-test --topic x --num-records 0 --record-size 1 --throughput -1 --bootstrap-server a:1", "--num-records"},
		{"perf-test --topic x --num-records 1 --record-size 1 --throughput -1 --command-property lingr.ms=5 --bootstrap-server a:1", "did you mean linger.ms"},
		{"perf-test --topic x --num-records 1 --record-size 1", "--throughput"},
		{"perf-test --topic x --num-records 1 --record-size 1 --payload-monotonic --throughput -1 --bootstrap-server a:1", "give one of"},
		{"perf-test --topic x --num-records 1 --throughput -1 --bootstrap-server a:1", "give one of"},
		{"perf-test --topic x --num-records 9 --record-size 1 --warmup-records 9 --throughput -1 --bootstrap-server a:1", "--warmup-records is 9"},
		{"perf-test --topic x --num-records 9 --record-size 1 --transaction-duration-ms 0 --throughput -1 --bootstrap-server a:1", "--transaction-duration-ms is 0"},
		{"perf-test --topic x --num-records 1 --record-size 1 --throughput -1 --command-config nowhere", "nowhere"},
		{"verifiable --topic x", "--bootstrap-server"},
		{"verifiable --topic x --bootstrap-server a:1 --acks 7", "acks"},
		{"completion tcsh", "tcsh"},
		{"env --format xml", "--format"},
	} {
		code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
		if code != bench.ExitUsage || !strings.Contains(stderr, tc.text) || strings.Count(stderr, "\n") != 1 || stdout != "" {
			t.Errorf("%s: exit code %d, %q, %q", tc.args, code, stdout, stderr)
		}
	}
	for _, command := range []string{"perf-test", "verifiable", "env", "completion"} {
		if code, stdout, _ := kbench(t, command, "--help"); code != bench.ExitOK || !strings.Contains(stdout, "Examples:") {
			t.Errorf("%s --help: exit code %d, %s", command, code, stdout)
		}
	}
}

func TestExpandLists(t *testing.T) {
	got := expandLists(strings.Fields("--topic t --producer-props a=1 b=2 --record-size 5 --command-property c=3"))
	want := strings.Fields("--topic t --producer-props a=1 --producer-props b=2 --record-size 5 --command-property c=3")
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEnvCommand(t *testing.T) {
	code, stdout, stderr := kbench(t, "env")
	if code != bench.ExitOK || !strings.Contains(stdout, "pacer") || !regexp.MustCompile(`(?m)^(GOOD|FAIR)  `).MatchString(stdout) {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
	code, stdout, _ = kbench(t, "env", "--format", "json")
	var d bench.Diagnosis
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || code != bench.ExitOK || len(d.Checks) < 5 {
		t.Errorf("exit code %d, %v, %s", code, err, stdout)
	}
}

// TestCompletion has the shell itself read the script, where there is one.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, script, stderr := kbench(t, "completion", shell)
		if code != bench.ExitOK || !strings.Contains(script, "perf-test") || !strings.Contains(script, "fail-on") {
			t.Errorf("%s: exit code %d, %q, %s", shell, code, script, stderr)
		}
		path, err := exec.LookPath(shell)
		if err != nil || shell != "bash" {
			continue
		}
		cmd := exec.Command(path, "-c", script+`
COMP_WORDS=(kbench diff --fa); COMP_CWORD=2; _kbench; echo "${COMPREPLY[@]}"
COMP_WORDS=(kbench ver); COMP_CWORD=1; _kbench; echo "${COMPREPLY[@]}"`)
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != "--fail-on\nverify verifiable version\n" {
			t.Errorf("bash completes to %q, %v", out, err)
		}
	}
}

func TestEveryCommandTeaches(t *testing.T) {
	_, stdout, _ := kbench(t, "--help")
	for _, command := range strings.Fields("run diff report hist schema env broker perf-test verifiable completion version") {
		if !strings.Contains(stdout, "\n  "+command) {
			t.Errorf("%s is not in the help:\n%s", command, stdout)
		}
	}
}
