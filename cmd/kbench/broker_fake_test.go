package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// TestFakeBroker: kring's records arrive at kfake, every one, in order.
func TestFakeBroker(t *testing.T) {
	cmd := command(t, "broker", "--kind", "fake", "--addr", "localhost:0", "--brokers", "3", "--partitions", "5")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(60*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	addrs := (&lineReader{r: out}).line(t)
	if len(strings.Split(addrs, ",")) != 3 {
		t.Fatalf("addresses %q, want three", addrs)
	}
	for _, args := range [][]string{{"--acks", "all"}, {"--acks", "1", "--compression", "lz4"}} {
		code, stdout, stderr := kbench(t, append([]string{"run", "-b", addrs, "-n", "5k", "-q"}, args...)...)
		if code != bench.ExitOK || !strings.Contains(stdout, "5,000 read back") || !strings.Contains(stdout, "VALID") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the broker ended with %v", err)
	}
}

func TestFakeBrokerUsage(t *testing.T) {
	for _, args := range []string{"--delay 1ms", "--service 1ms", "--throughput 1MB", "--verify full", "--keep 1MB", "--stats", "--addr 127.0.0.1:65535 --brokers 2", "--brokers 0"} {
		code, stdout, stderr := kbench(t, strings.Fields("broker --kind fake "+args)...)
		if flag := strings.Fields(args)[0]; code != bench.ExitUsage || !strings.Contains(stderr, flag) || stdout != "" {
			t.Errorf("%s: exit code %d, %q", args, code, stderr)
		}
	}
	if code, _, stderr := kbench(t, "broker", "--kind", "real"); code != bench.ExitUsage || !strings.Contains(stderr, "--kind") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}
