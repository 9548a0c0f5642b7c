//go:build kafka

package kafka_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// testKbench runs kbench as somebody would who has the properties of a Java
// client: kring and the producers that it is compared with, each over TLS with a
// login or a client certificate, with every record read back.
func (s secure) testKbench(t *testing.T) {
	stores, err := s.Stores(t.Context(), t.TempDir(), "JKS")
	if err != nil {
		t.Fatal(err)
	}
	trust := fmt.Sprintf("ssl.truststore.location=%s\nssl.truststore.password=%s\n", stores.Trust, stores.Password)
	mutual := s.write(t, "mutual", fmt.Sprintf("bootstrap.servers=%s\nsecurity.protocol=SSL\n%sssl.keystore.location=%s\nssl.keystore.password=%s\nssl.key.password=%s\n",
		s.SSL, trust, stores.Key, stores.Password, stores.KeyPassword))
	scram := fmt.Sprintf("bootstrap.servers=%s\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"+
		"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=%q password=%q;\n", s.SASLSSL, s.User, s.Password)
	login := s.write(t, "login", scram+trust)
	pem := s.write(t, "pem", scram+"ssl.truststore.type=PEM\nssl.truststore.location="+s.CA+"\n")
	bin := filepath.Join(t.TempDir(), "kbench")
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, ".")
	build.Dir = filepath.Join(source, "cmd/kbench")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out := filepath.Join(t.TempDir(), "out")
	machine := []string{"--max-steal", "100", "--max-lag", "10s"}
	for _, args := range [][]string{
		append([]string{"run", "--config-file", mutual, "-t", "kbench-secured", "-n", "20k", "-r", "20k", "--verify", "full", "-q", "-o", out}, machine...),
		{"verify", out, "--config-file", login, "-q"},
		{"env", "--config-file", login},
		append([]string{
			"compare", "--config-file", login, "--client", "kring,franz-go,java", "--scenario", "open-1", "--runs", "1",
			"-d", "500ms", "--warmup", "100ms", "--verify", "full", "-o", out + "-jks",
		}, machine...),
		append([]string{
			"compare", "--config-file", pem, "--client", "kring,sarama,kafka-go,librdkafka", "--scenario", "open-1", "--runs", "1",
			"-d", "500ms", "--warmup", "100ms", "--verify", "full", "-o", out + "-pem",
		}, machine...),
	} {
		cmd := exec.CommandContext(t.Context(), bin, args...)
		cmd.Dir = source // the programs of the other clients are built from there
		text, err := cmd.CombinedOutput()
		t.Logf("kbench %s\n%s", strings.Join(args, " "), text)
		if err != nil {
			t.Errorf("kbench %s: %v", args[0], err)
		}
		if strings.Contains(string(text), s.Password) {
			t.Errorf("kbench %s prints the password", args[0])
		}
	}
}

// write keeps a file of properties until the test ends.
func (s secure) write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".properties")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
