//go:build kafka

package kafka_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/ledger"
)

// killJava runs rig/KillBench.java, Java's producer at the same pace, in the
// same conditions, and counts its records in the log.
func killJava(t *testing.T, c *cluster, topic string) ledger.Latency {
	interval := time.Second / time.Duration(*killRate)
	n := int(*killTime / interval)
	number := func(n int) string { return strconv.Itoa(n) }
	java, err := c.rig.Program(t.Context(), "KillBench",
		"--bootstrap", strings.Join(c.bootstrap, ","), "--topic", topic, "--partitions", "12",
		"--threads", number(killGoroutines), "--rate", number(*killRate), "--records", number(n), "--size", "100",
		"--warm-topic", c.topic(t, 12), "--warm-records", number(*killRate*10))
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	java.Stderr = &stderr
	out, err := java.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := java.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	stop, last := func() {}, ""
	for lines.Scan() {
		if last = lines.Text(); last == "started" {
			stop = c.killLeaders(t, topic)
		}
	}
	stop()
	if err := java.Wait(); err != nil {
		t.Fatalf("KillBench: %v: %s", err, stderr.String())
	}
	t.Logf("java: %s", last)
	result, err := parseResult(last)
	if err != nil {
		t.Fatal(err)
	}
	c.restore(t, topic)
	countJava(t, c, topic, result)
	micro := func(name string) time.Duration { return time.Duration(result[name]) * time.Microsecond }
	return ledger.Latency{
		Count: int(result["acked"]), P50: micro("p50"), P90: micro("p90"), P99: micro("p99"), P999: micro("p999"), Max: micro("max"),
	}
}

// countJava says in the log whether Java lost or doubled anything. That is no
// failure of ours; it tells whether the comparison is one of equals.
func countJava(t *testing.T, c *cluster, topic string, result map[string]int64) {
	t.Helper()
	seen := map[uint64]int{}
	n, err := readback.Franz(t.Context(), c.bootstrap, topic, func(e *ledger.Entry) {
		seen[binary.BigEndian.Uint64(e.Prefix[:])]++
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("java: acked %d, failed %d; the log has %d records, %d of them twice",
		result["acked"], result["failed"], len(seen), n-len(seen))
}

func parseResult(line string) (map[string]int64, error) {
	result := map[string]int64{}
	for field := range strings.FieldsSeq(line) {
		name, value, _ := strings.Cut(field, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("KillBench printed %q", line)
		}
		result[name] = n
	}
	if _, ok := result["p99"]; !ok {
		return nil, fmt.Errorf("KillBench printed %q", line)
	}
	return result, nil
}
