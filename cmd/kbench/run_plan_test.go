package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
)

func TestDryRun(t *testing.T) {
	login := `sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="canary";`
	for _, format := range []string{"human", "json"} {
		code, stdout, stderr := kbench(t, "run", "-b", "127.0.0.1:1", "--dry-run", "--format", format, "-X", login, "-X", "sasl.mechanism=PLAIN", "-X", "security.protocol=SASL_PLAINTEXT")
		if code != bench.ExitOK || strings.Contains(stdout+stderr, "canary") || !strings.Contains(stdout, "sasl.jaas.config") {
			t.Errorf("exit code %d, or a secret: %s%s", code, stdout, stderr)
		}
	}
	code, stdout, stderr := kbench(t, "run", "-b", "127.0.0.1:1", "-t", "orders", "-r", "20k", "-d", "1h", "--dry-run", "-X", "client.id=me")
	if code != bench.ExitOK || stderr != "" || !strings.Contains(stdout, "20,000 rec/s") || !strings.Contains(stdout, "client.id") {
		t.Errorf("exit code %d, %q\n%s", code, stderr, stdout)
	}
	code, stdout, _ = kbench(t, "run", "--dry-run", "--format", "json", "-n", "5k")
	var plan bench.Config
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil || code != bench.ExitOK || plan.Records != 5000 || plan.Validate() != nil {
		t.Errorf("exit code %d, %v\n%s", code, err, stdout)
	}
	if code, _, stderr := kbench(t, "run", "--dry-run", "--senders", "0"); code != bench.ExitUsage || !strings.Contains(stderr, "--senders") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

// TestConfigFile: Java's file of properties, below flags and -X.
func TestConfigFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "producer.properties")
	text := "bootstrap.servers=127.0.0.1:1\nacks=1\nlinger.ms=7\nclient.id=file\nbatch.size=1000\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := kbench(t, "run", "--dry-run", "--config-file", file, "--linger", "9", "-X", "client.id=flag", "--format", "json")
	var plan bench.Config
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil || code != bench.ExitOK {
		t.Fatalf("exit code %d, %v, %s", code, err, stderr)
	}
	s := plan.Settings
	if s.Brokers[0] != "127.0.0.1:1" || s.Acks != "1" || s.Linger.Milliseconds() != 9 || s.Props["client.id"] != "flag" || s.BatchSize != 1000 {
		t.Errorf("%+v", s)
	}
	if code, _, stderr := kbench(t, "run", "--config-file", file+"x"); code != bench.ExitUsage || !strings.Contains(stderr, "--config-file") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

// TestFormatCSV: the rows on standard output add up to the result.
func TestFormatCSV(t *testing.T) {
	code, stdout, stderr := kbench(t, "run", "-n", "3k", "--in-process", "-q", "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || code != bench.ExitOK || len(rows) < 2 || rows[0][2] != "acked" {
		t.Fatalf("exit code %d, %v, %q\n%s", code, err, stderr, stdout)
	}
	sum := 0
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != 3000 {
		t.Errorf("%d records in\n%s", sum, stdout)
	}
	if code, _, stderr := kbench(t, "run", "--client", "java", "--format", "csv"); code != bench.ExitUsage || !strings.Contains(stderr, "not known") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestEnvOfBrokers(t *testing.T) {
	if code, _, stderr := kbench(t, "env", "-b", "127.0.0.1:1"); code != bench.ExitRuntime || !strings.Contains(stderr, "no broker answers") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	if code, _, stderr := kbench(t, "env", "-b", "nowhere"); code != bench.ExitUsage || !strings.Contains(stderr, "host:port") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	b, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	code, stdout, stderr := kbench(t, "env", "--json", "-b", b.Addrs()[0])
	if code != bench.ExitOK || !json.Valid([]byte(stdout)) || !strings.Contains(stdout, "round trip to the brokers") {
		t.Errorf("exit code %d, %q\n%s", code, stderr, stdout)
	}
}

func TestSchemaOfAFolder(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := kbench(t, "run", "-n", "100", "--in-process", "-q", "-o", dir); code != bench.ExitOK {
		t.Fatalf("%d %s", code, stderr)
	}
	if code, stdout, stderr := kbench(t, "schema", dir); code != bench.ExitOK || !strings.Contains(stdout, "ok") {
		t.Errorf("exit code %d, %q %q", code, stdout, stderr)
	}
}
