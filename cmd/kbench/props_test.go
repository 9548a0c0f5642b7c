package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

func TestProps(t *testing.T) {
	code, stdout, stderr := kbench(t, "props", "--format", "json")
	var rows []propRow
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != bench.ExitOK || stderr != "" {
		t.Fatalf("exit code %d, %v, %s", code, err, stderr)
	}
	kinds := map[string]string{}
	for _, row := range rows {
		kinds[row.Name] = row.Kind
		if row.Doc == "" {
			t.Errorf("%s has no line of documentation", row.Name)
		}
		if row.Kind == propRefused && row.Reason == "" {
			t.Errorf("%s is refused without a reason", row.Name)
		}
	}
	for name, want := range map[string]string{
		"acks": propMapped, "request.timeout.ms": propSupported,
		"sasl.kerberos.service.name": propSupported, "kring.delivery.inline": propSupported,
		"ssl.truststore.password": propSupported, "ssl.keymanager.algorithm": propRefused,
	} {
		if kinds[name] != want {
			t.Errorf("%s is %q, want %q", name, kinds[name], want)
		}
	}
	code, stdout, _ = kbench(t, "props", "linger", "--only", "mapped")
	if code != bench.ExitOK || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, "linger.ms") || !strings.Contains(stdout, "--linger") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}

// TestPropsTellTheTruth gives run every property with a value of its own.
func TestPropsTellTheTruth(t *testing.T) {
	_, stdout, _ := kbench(t, "props", "--format", "json", "--only", "refused")
	var rows []propRow
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		code, _, stderr := kbench(t, "run", "-n", "1", "--in-process", "-X", row.Name+"=surely-not-that")
		if code != bench.ExitUsage || !strings.Contains(stderr, row.Name) {
			t.Errorf("%s is listed as refused: exit code %d, %s", row.Name, code, stderr)
		}
	}
}

func TestPropsUsage(t *testing.T) {
	for _, tc := range []struct {
		args string
		code int
		text string
	}{
		{"props --client nobody", bench.ExitSkipped, "kbench-worker-nobody"},
		{"props --only good", bench.ExitUsage, "want supported"},
		{"props nosuchname", bench.ExitUsage, "no property"},
	} {
		code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
		if code != tc.code || !strings.Contains(stderr, tc.text) || stdout != "" {
			t.Errorf("%s: exit code %d, %q, %q", tc.args, code, stderr, stdout)
		}
	}
}
