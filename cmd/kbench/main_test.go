package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// asKbench makes the test binary behave as kbench, so that whole processes can
// be tested: the broker's child, signals, exit codes.
const asKbench = "KBENCH_TEST_AS_KBENCH"

func TestMain(m *testing.M) {
	if os.Getenv(asKbench) != "" {
		main()
	}
	if role := os.Getenv(faultRole); role != "" {
		faultWorker(role)
	}
	os.Exit(m.Run())
}

// anyMachine has a command that measures accept a machine whose processors are
// given to others: the tests ask what kbench does, not what the machine is worth.
func anyMachine(args []string) []string {
	if len(args) > 0 && slices.Contains([]string{"run", "compare", "ramp"}, args[0]) {
		return append(slices.Clip(args), "--max-steal=100")
	}
	return args
}

// kbench runs the program in this process.
func kbench(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, messages bytes.Buffer
	p := &program{ctx: context.Background(), args: anyMachine(args), stdin: strings.NewReader(""), stdout: &out, stderr: &messages}
	code = p.run()
	return code, out.String(), messages.String()
}

// command is kbench as a process of its own.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, anyMachine(args)...)
	cmd.Env = append(os.Environ(), asKbench+"=1")
	return cmd
}

func TestUsageErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args string
		code int
		text string
	}{
		{"unknown flag", "run --sender 4", bench.ExitUsage, `did you mean "--senders"`},
		{"unknown command", "runn", bench.ExitUsage, "runn"},
		{"unknown property", "run -X lingr.ms=5", bench.ExitUsage, "did you mean linger.ms"},
		{"malformed property", "run -X linger.ms=soon", bench.ExitUsage, "linger.ms=soon"},
		{"property without value", "run -X acks", bench.ExitUsage, "not name=value"},
		{"count", "run -n abc", bench.ExitUsage, "--num-records"},
		{"count of nothing", "run -n 0", bench.ExitUsage, "--num-records"},
		{"size", "run -s 1ZiB", bench.ExitUsage, "--record-size"},
		{"rate", "run -r fast", bench.ExitUsage, "--rate"},
		{"duration", "run -d soon", bench.ExitUsage, "--duration"},
		{"keys", "run --keys some", bench.ExitUsage, "--keys"},
		{"linger", "run --linger x", bench.ExitUsage, "--linger"},
		{"batch size", "run --batch-size x", bench.ExitUsage, "--batch-size"},
		{"acks", "run --acks 2", bench.ExitUsage, "--acks"},
		{"verify", "run --verify maybe", bench.ExitUsage, "--verify"},
		{"format", "run --format xml", bench.ExitUsage, "--format"},
		{"partitions", "run --partitions 0", bench.ExitUsage, "--partitions"},
		{"slo", "run --slo fast", bench.ExitUsage, "--slo"},
		{"open without rate", "run --mode open", bench.ExitUsage, "--rate"},
		{"no address", "run -b localhost", bench.ExitUsage, "not host:port"},
		{"folder", "run -n 1 -o " + file + "/sub", bench.ExitUsage, "--out"},
		{"profile", "run -n 1 --cpuprofile " + file + "/sub", bench.ExitUsage, "profile"},
		{"unreachable", "run -b 127.0.0.1:1 -n 1", bench.ExitRuntime, "no broker answers"},
		{"no worker", "run --client nobody -n 1", bench.ExitSkipped, "kbench-worker-nobody"},
		{"worker with a path", "run --client ../x -n 1", bench.ExitUsage, "want a name"},
		{"broker address", "broker --addr nowhere", bench.ExitUsage, "not host:port"},
		{"broker verify", "broker --verify x", bench.ExitUsage, "--verify"},
		{"broker throughput", "broker --throughput fast", bench.ExitUsage, "--throughput"},
		{"throughput", "run -n 1 --embedded-throughput fast", bench.ExitUsage, "--embedded-throughput"},
		{"broker keep", "broker --keep x", bench.ExitUsage, "--keep"},
		{"broker without nodes", "broker --brokers 0", bench.ExitUsage, "--brokers"},
		{"broker without partitions", "broker --partitions 0", bench.ExitUsage, "--partitions"},
		{"broker from the past", "broker --delay=-1s", bench.ExitUsage, "--delay"},
		{"fault", "run --fault at=1s,for=1s,kind=rain", bench.ExitUsage, "--fault: "},
		{"fault without a time", "run --fault for=1s,kind=blackhole", bench.ExitUsage, "at= is missing"},
		{"fault from the past", "run --fault at=-1s,for=1s,kind=blackhole", bench.ExitUsage, "negative"},
		{"fault after the end", "run -d 3s --fault at=2s,for=2s,kind=blackhole", bench.ExitUsage, "it ends after the run"},
		{"faults at once", "run --fault at=1s,for=1s,kind=blackhole --fault at=1s,for=2s,kind=blackhole", bench.ExitUsage, "overlaps"},
		{"fault of an hour", "run --fault at=1s,for=1s,kind=latency:1h", bench.ExitUsage, "up to 10m"},
		{"fault of no node", "run --fault at=1s,kind=reset,node=2", bench.ExitUsage, "nodes are 1 to 1"},
		{"replication", "run -n 1 --replication=-1", bench.ExitUsage, "--replication"},
		{"nodes", "run -n 1 --embedded-nodes 0", bench.ExitUsage, "--embedded-nodes"},
		{"too many nodes", "run -n 1 --embedded-nodes 100000", bench.ExitUsage, "--embedded-nodes"},
		{"delay", "run -n 1 --embedded-delay=-1ms", bench.ExitUsage, "--embedded-delay"},
		{"service", "run -n 1 --embedded-service=-1ms", bench.ExitUsage, "--embedded-service"},
		{"lag", "run -n 1 --max-lag=-1ms", bench.ExitUsage, "--max-lag"},
		{"drain", "run -n 1 --drain-timeout=-1s", bench.ExitUsage, "--drain-timeout"},
		{"topic", "run -n 1 -t orders!", bench.ExitUsage, "--topic"},
		{"topic of dots", "run -n 1 -t ..", bench.ExitUsage, "--topic"},
		{"only commas", "run -n 1 -b ,,", bench.ExitUsage, "--brokers"},
		{"unset variable", "run -n 1 --brokers=", bench.ExitUsage, "--brokers is empty"},
		{"unset folder of values", "run -n 1 --payload-file=", bench.ExitUsage, "--payload-file is empty"},
		{"unset properties", "run -n 1 --config-file=", bench.ExitUsage, "--config-file is empty"},
		{"unset shard", "run -n 1 --shard=", bench.ExitUsage, "--shard is empty"},
		{"unset fault", "run -n 1 --fault=", bench.ExitUsage, "--fault is empty"},
		{"unset codec", "run -n 1 --compression=", bench.ExitUsage, "--compression is empty"},
		{"unset number", "run --num-records=", bench.ExitUsage, "--num-records is empty"},
		{"ramp without objective", "ramp --slo=", bench.ExitUsage, "--slo is empty"},
		{"ramp of no time", "ramp --hold 0s", bench.ExitUsage, "--hold"},
		{"ramp confirms nothing", "ramp --confirm 0", bench.ExitUsage, "--confirm"},
		{"ramp folder", "ramp -o " + file + "/sub", bench.ExitUsage, "--out"},
		{"compare folder", "compare --client kring -o " + file + "/sub", bench.ExitUsage, "--out"},
		{"compare replication", "compare --client kring --replication 0 -o " + file, bench.ExitUsage, "--replication"},
		{"compare settle", "compare --client kring --settle=-1s -o " + file, bench.ExitUsage, "--settle"},
		{"compare lag", "compare --client kring --max-lag=-1s -o " + file, bench.ExitUsage, "--max-lag"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
			if code != tc.code || !strings.Contains(stderr, tc.text) {
				t.Errorf("exit code %d, %q; want %d and %q", code, stderr, tc.code, tc.text)
			}
			if stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "kbench: ") {
				t.Errorf("want one line on standard error, got %q and %q", stderr, stdout)
			}
		})
	}
}

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, stderr := kbench(t, "broker", "--addr", l.Addr().String())
	if code != bench.ExitRuntime || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "taken") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestHelpTeaches(t *testing.T) {
	for _, tc := range []struct {
		args []string
		text []string
	}{
		{nil, []string{"kbench run", "embedded broker"}},
		{[]string{"--help"}, []string{"run", "broker", "version"}},
		{[]string{"run", "--help"}, []string{"--num-records", "Examples:", "Exit codes:", "-X", "--fault", "kbench run -r 20k"}},
		{[]string{"broker", "--help"}, []string{"--addr", "--throughput", "Examples:"}},
		{[]string{"compare", "--help"}, []string{"--rates 10k..2M", "saturated", "curve.json", "backlog"}},
		{[]string{"report", "--help"}, []string{"curve is one", "cluster is a section", "?PATTERN"}},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			code, stdout, stderr := kbench(t, tc.args...)
			if code != bench.ExitOK || stderr != "" {
				t.Errorf("exit code %d, %q", code, stderr)
			}
			for _, want := range tc.text {
				if !strings.Contains(stdout, want) {
					t.Errorf("%q is not in the help:\n%s", want, stdout)
				}
			}
		})
	}
	if code, stdout, _ := kbench(t, "version"); code != bench.ExitOK || !strings.HasPrefix(stdout, "kbench ") {
		t.Errorf("version: %d, %q", code, stdout)
	}
}

func TestRunVerifiesEveryRecord(t *testing.T) {
	code, stdout, stderr := kbench(t, "run", "-n", "20k", "--in-process")
	if code != bench.ExitOK || !strings.Contains(stdout, "20,000 read back") || !strings.Contains(stdout, "VALID") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if !strings.Contains(stderr, "plan ") {
		t.Errorf("no plan on standard error: %q", stderr)
	}
}

func TestRunPrintsJSON(t *testing.T) {
	code, stdout, stderr := kbench(t, "run", "-n", "5k", "--in-process", "--format", "json", "-q",
		"-X", "ssl.key.password=canary", "--acks", "1")
	if code != bench.ExitUsage || strings.Contains(stderr+stdout, "canary") {
		t.Errorf("a secret of an unsupported property: exit code %d, %q", code, stderr)
	}
	code, stdout, stderr = kbench(t, "run", "-n", "5k", "--in-process", "--format", "json", "-q", "--slo", "rate>=1G")
	if code != bench.ExitSLO || stderr != "" {
		t.Errorf("exit code %d, %q, want the SLO's and silence", code, stderr)
	}
	var r bench.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Schema != bench.SchemaName || r.Totals.Acked != 5000 || r.Verify.Read != 5000 || r.SLO == nil || r.SLO.Met || r.Command[0] != "kbench" {
		t.Errorf("%+v", r)
	}
}

// TestInterrupt sends SIGINT to a whole process with a broker of its own.
func TestInterrupt(t *testing.T) {
	cmd := command(t, "run", "-r", "1000", "-d", "1h", "--format", "json", "-i", "100ms")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(60*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	var seen bytes.Buffer
	underWay := regexp.MustCompile(`s +[1-9][0-9.kM]* rec/s`)
	buf := make([]byte, 4096)
	sent := false
	for {
		n, err := stderr.Read(buf)
		seen.Write(buf[:n])
		// A line of progress with records in it: the run is under way.
		if !sent && underWay.MatchString(seen.String()) {
			sent = true
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	_ = cmd.Wait() // The exit code is looked at below.
	var r bench.Result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s%s", err, &stdout, &seen)
	}
	if code := cmd.ProcessState.ExitCode(); code != bench.ExitInterrupted || !r.Partial || r.Totals.Acked == 0 || r.Verify.Failed() {
		t.Errorf("exit code %d, partial %v, %+v, %+v", code, r.Partial, r.Totals, r.Verify)
	}
}

// TestBrokerProcess starts kbench broker, runs against it, and interrupts it.
func TestBrokerProcess(t *testing.T) {
	cmd := command(t, "broker", "--addr", "127.0.0.1:0", "--brokers", "2", "--partitions", "3", "--verify", "full", "--stats")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(60*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	dec := &lineReader{r: out}
	addrs := dec.line(t)
	if len(strings.Split(addrs, ",")) != 2 {
		t.Fatalf("addresses %q, want two", addrs)
	}
	code, stdout, stderr := kbench(t, "run", "-b", addrs, "-n", "5k", "-t", "orders")
	if code != bench.ExitOK || !strings.Contains(stdout, "5,000 read back") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var stats struct {
		Records int64 `json:"records"`
	}
	if err := json.Unmarshal([]byte(dec.line(t)), &stats); err != nil || stats.Records != 5000 {
		t.Errorf("stats %+v, %v", stats, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the broker ended with %v", err)
	}
}

// lineReader reads lines without reading ahead of them.
type lineReader struct {
	r interface{ Read([]byte) (int, error) }
}

func (l *lineReader) line(t *testing.T) string {
	t.Helper()
	var line []byte
	for b := make([]byte, 1); ; {
		if n, err := l.r.Read(b); n == 1 && b[0] != '\n' {
			line = append(line, b[0])
		} else if n == 1 {
			return string(line)
		} else if err != nil {
			t.Fatalf("%v after %q", err, line)
		}
	}
}

func TestEnvironmentSetsFlags(t *testing.T) {
	t.Setenv("KBENCH_SENDERS", "0")
	code, _, stderr := kbench(t, "run", "-n", "1")
	if code != bench.ExitUsage || !strings.Contains(stderr, "--senders is 0") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestRedacted(t *testing.T) {
	got := strings.Join(redacted([]string{"run", "-X", "ssl.key.password=canary", "-X", "client.id=me", "-Xsasl.jaas.config=canary"}), " ")
	if strings.Contains(got, "canary") || !strings.Contains(got, "client.id=me") {
		t.Errorf("got %q", got)
	}
}
