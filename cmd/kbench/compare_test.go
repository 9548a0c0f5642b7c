package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
)

func TestCompareUsage(t *testing.T) {
	for _, tc := range []struct{ args, text string }{
		{"compare --scenario nosuch", "--scenario"},
		{"compare --client nosuch", "--client"},
		{"compare --client kring --base java", "--base java"},
		{"compare --client kring --runs 0", "--runs is 0"},
		{"compare --client kring -d 0s", "--duration"},
		{"compare --client kring --warmup x", "--warmup"},
		{"compare --client kring --defaults --compression lz4", "--compression contradicts --defaults"},
		{"compare --client kring --compression brotli", "--compression"},
		{"compare --client kring --payload words", "--payload"},
		{"compare --client kring --rates fast", "--rates"},
		{"compare --client kring --rates 20k,10k", "does not rise"},
		{"compare --client kring --rates 10k..5k", "leads nowhere"},
		{"compare --client kring --rates 10k..20k --step 0.5", "--step"},
		{"compare --client kring --rates 10k..20k --step NaN", "--step"},
		{"compare --client kring --rates 0", "records per second"},
		{"compare --client kring --step x3", "--step is for --rates"},
		{"compare --client kring --rates 1k --scenario busy", "no timetable"},
		{"run --compression brotli", "--compression is \"brotli\""},
		{"run --compression lz4 -X compression.type=zstd", "contradicts"},
		{"run --payload text --compressibility 0.5", "--compressibility"},
		{"compare --client kring -b here", "not host:port"},
		{"ramp --from 10k --to 1k", "--to"},
		{"ramp --from x", "--from"},
		{"ramp --step 0.5", "--step"},
		{"ramp --precision 2", "--precision"},
		{"ramp --hold x", "--hold"},
		{"ramp --client nosuch", "--client"},
		{"ramp --slo fast", "--slo"},
		{"verify", "folder of a run"},
		{"verify --topic t", "--run-id"},
		{"verify dir --topic t", "folder of a run"},
		{"verify --topic t --run-id xyz -b 127.0.0.1:1", "16 hex digits"},
		{"verify --topic t --run-id 0f -b there", "not host:port"},
		{"verify /no/such/folder", "no such file"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
			if code != bench.ExitUsage || !strings.Contains(stderr, tc.text) || stdout != "" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, %q%q; want %d and %q", code, stdout, stderr, bench.ExitUsage, tc.text)
			}
		})
	}
	if code, stdout, _ := kbench(t, "compare", "--list"); code != bench.ExitOK || !strings.Contains(stdout, "partitions-10k") {
		t.Errorf("--list: %d, %s", code, stdout)
	}
}

// TestVerifyLater: a run leaves its account in its folder, and verify finds in
// the topic what the run would have found.
func TestVerifyLater(t *testing.T) {
	b, err := broker.Start(broker.Config{Brokers: 2, Partitions: 3, Verify: broker.VerifyFull})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	addrs := strings.Join(b.Addrs(), ",")
	run := func(topic, client string) (dir, id string) {
		dir = filepath.Join(t.TempDir(), "out")
		args := []string{"run", "-b", addrs, "-t", topic, "-n", "2000", "--verify", "full", "-q", "-o", dir, "--client", client}
		if code, stdout, stderr := kbench(t, args...); code != bench.ExitOK && (client == "kring" || code != bench.ExitVerify) {
			t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
		}
		r, err := bench.ReadResult(dir)
		if err != nil {
			t.Fatal(err)
		}
		return dir, r.RunID.String()
	}
	dir, id := run("orders", "kring")
	for _, args := range [][]string{{"verify", dir}, {"verify", "-b", addrs, "-t", "orders", "--run-id", id}} {
		code, stdout, stderr := kbench(t, args...)
		if code != bench.ExitOK || !strings.Contains(stdout, "2,000 read back") || !strings.Contains(stderr, "reading back") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
	if code, stdout, _ := kbench(t, "verify", "-b", addrs, "-t", "orders", "--run-id", "0123456789abcdef"); code != bench.ExitInvalid || !strings.Contains(stdout, "is the id right") {
		t.Errorf("another id: %d\n%s", code, stdout)
	}

	// One record is acknowledged and never sent.
	t.Setenv("PATH", filepath.Dir(named(t, "loser"))+":/usr/bin:/bin")
	dir, id = run("lossy", "loser")
	for _, args := range [][]string{{"verify", "-q", dir}, {"verify", "-q", "-b", addrs, "-t", "lossy", "--run-id", id, "--format", "json"}} {
		code, stdout, stderr := kbench(t, args...)
		if code != bench.ExitVerify || !strings.Contains(stdout, "is missing") || stderr != "" {
			t.Errorf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
	}
	dir = filepath.Join(t.TempDir(), "unstamped")
	if code, _, stderr := kbench(t, "run", "-b", addrs, "-t", "orders", "-n", "10", "--verify", "count", "-q", "-o", dir); code != bench.ExitOK {
		t.Fatalf("exit code %d %s", code, stderr)
	}
	if code, _, stderr := kbench(t, "verify", dir); code != bench.ExitUsage || !strings.Contains(stderr, "carry no stamps") {
		t.Errorf("a run without stamps: %d, %s", code, stderr)
	}
	dir = measured(t, 1, "-n", "100")[0]
	if code, _, stderr := kbench(t, "verify", dir); code != bench.ExitUsage || !strings.Contains(stderr, "embedded broker") {
		t.Errorf("a run on the embedded broker: %d, %s", code, stderr)
	}
}
