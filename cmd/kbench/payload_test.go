package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
)

// valuesFile has three values, of 0, 3 and 5 bytes.
func valuesFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values.txt")
	if err := os.WriteFile(path, []byte("one\r\n\r\nthree\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPayloadFile(t *testing.T) {
	file := valuesFile(t)
	code, stdout, stderr := kbench(t, "run", "-n", "3k", "--in-process", "--payload-file", file, "--format", "json")
	var r bench.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != bench.ExitOK {
		t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
	}
	if r.Verify.Read != 3000 || r.Verify.Failed() || r.Workload.Size != "file:0-5" || !strings.HasPrefix(r.Workload.Payload, "file:") || !strings.Contains(stderr, "of the 3 in "+file) {
		t.Errorf("%+v, %+v\n%s", r.Workload, r.Verify, stderr)
	}
	if r.Totals.Bytes < 6000 || r.Totals.Bytes > 10_000 { // 8 bytes in 3 records
		t.Errorf("%d bytes were sent", r.Totals.Bytes)
	}
}

func TestPayloadUsage(t *testing.T) {
	file := valuesFile(t)
	for _, tc := range []struct{ args, text string }{
		{"run --payload-file FILE -s 100", "--record-size"},
		{"run --payload-file FILE --payload random", "--payload contradicts"},
		{"run --payload-file FILE --compressibility 0.5", "--compressibility"},
		{"run --payload-file FILE --e2e", "--e2e"},
		{"run --payload-file FILE --payload-delimiter=", "--payload-delimiter is empty"},
		{"run --payload-file FILEx", "no such file"},
		{"run --payload-delimiter ,", "needs a --payload-file"},
		{"run --payload-file FILE -X max.request.size=4", "more than max.request.size, 4"},
		{"run --record-size file:1-2", "that of a --payload-file"},
		{"perf-test --topic t --num-records 1 --throughput -1", "one of --record-size, --payload-file and --payload-monotonic"},
		{"perf-test --topic t --num-records 1 --throughput -1 --record-size 1 --payload-file FILE", "one of --record-size"},
		{"perf-test --topic t --num-records 1 --throughput -1 --record-size 1 --payload-delimiter ,", "needs a --payload-file"},
	} {
		code, stdout, stderr := kbench(t, strings.Fields(strings.ReplaceAll(tc.args, "FILE", file))...)
		if code != bench.ExitUsage || !strings.Contains(stderr, tc.text) || stdout != "" {
			t.Errorf("%s: exit code %d, %q, want %q", tc.args, code, stderr, tc.text)
		}
	}
}

// TestPayloadOfWorkload: of two that contradict each other, the command line's
// wins; the environment is read as well.
func TestPayloadOfWorkload(t *testing.T) {
	file, dir := valuesFile(t), t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	made := write("made.yaml", "record-size: 300\npayload: text\n")
	given := write("given.yaml", "payload-file: "+file+"\npayload-delimiter: e\n")
	t.Setenv("KBENCH_SEED", "7")
	for _, tc := range []struct {
		args []string
		size string
	}{
		{[]string{given}, "file:0-7"}, // on, \r\n\r\nthr, nothing, \r\n
		{[]string{given, "-s", "44"}, "fixed:44"},
		{[]string{made}, "fixed:300"},
		{[]string{made, "--payload-file", file}, "file:0-5"},
	} {
		code, stdout, stderr := kbench(t, append([]string{"run", "--dry-run", "--format", "json"}, tc.args...)...)
		var plan bench.Config
		if err := json.Unmarshal([]byte(stdout), &plan); err != nil || code != bench.ExitOK {
			t.Fatalf("%q: exit code %d, %v, %s", tc.args, code, err, stderr)
		}
		if plan.Sizes.String() != tc.size || plan.Seed != 7 {
			t.Errorf("%q: sizes %v, want %s; seed %d", tc.args, plan.Sizes, tc.size, plan.Seed)
		}
	}
	t.Setenv("KBENCH_PAYLOAD_FILE", file)
	if code, stdout, stderr := kbench(t, "run", "--dry-run"); code != bench.ExitOK || !strings.Contains(stdout, file) {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestPerfTestPayloadFile(t *testing.T) {
	b, err := broker.Start(broker.Config{Verify: broker.VerifyCount})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	code, stdout, stderr := kbench(t, "perf-test", "--topic", "t", "--num-records", "500", "--throughput", "-1",
		"--payload-file", valuesFile(t), "--payload-delimiter", `\n`, "--bootstrap-server", b.Addrs()[0])
	if code != bench.ExitOK || !strings.HasPrefix(stdout, "500 records sent") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if n := b.Stats().Records; n != 500 {
		t.Errorf("the broker has %d records", n)
	}
}

func TestWarmupFlag(t *testing.T) {
	code, stdout, stderr := kbench(t, "run", "-n", "2k", "--warmup", "1k", "--in-process", "--format", "json")
	var r bench.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != bench.ExitOK || r.Totals.Warmup < 1000 || r.Totals.Acked != 2000 {
		t.Fatalf("exit code %d, %v, %+v\n%s", code, err, r.Totals, stderr)
	}
	t.Setenv("KBENCH_WARMUP", "300records")
	code, stdout, _ = kbench(t, "run", "--dry-run", "--format", "json", "-r", "1k", "--arrival", "constant")
	var plan bench.Config
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil || code != bench.ExitOK || plan.Warmup.Milliseconds() != 300 {
		t.Errorf("exit code %d, %v, a warm-up of %v", code, err, plan.Warmup)
	}
	for _, text := range []string{"100x", "-5k"} {
		if code, _, stderr := kbench(t, "run", "--warmup="+text); code != bench.ExitUsage || !strings.Contains(stderr, "--warmup") {
			t.Errorf("%s: exit code %d, %q", text, code, stderr)
		}
	}
}
