package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	fakeUser     = "ann"
	fakePassword = "canary-in-the-mine"
)

// certificate is one that signs itself, for 127.0.0.1.
func certificate(t *testing.T) (pair tls.Certificate, der []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kfake"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, der
}

// writeTrust writes an authority as PEM and as a key store of Java's.
func writeTrust(t *testing.T, der []byte) (pemFile, jksFile string) {
	t.Helper()
	dir := t.TempDir()
	pemFile, jksFile = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.jks")
	if err := os.WriteFile(pemFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	store := keystore.New()
	if err := store.SetTrustedCertificateEntry("ca", keystore.TrustedCertificateEntry{
		CreationTime: time.Now(), Certificate: keystore.Certificate{Type: "X.509", Content: der},
	}); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(jksFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := store.Store(f, []byte(fakePassword)); err != nil {
		t.Fatal(err)
	}
	return pemFile, jksFile
}

// secured is a broker that wants TLS and a login, and a file of a client's
// properties for it, with either kind of trust store.
func secured(t *testing.T) (address, pemFile, jksFile string) {
	t.Helper()
	pair, der := certificate(t)
	b, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}),
		kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", fakeUser, fakePassword))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	ca, jks := writeTrust(t, der)
	login := "bootstrap.servers=" + b.ListenAddrs()[0] + "\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\n" +
		"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"" + fakeUser + "\" password=\"" + fakePassword + "\";\n" +
		"acks=all\n"
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(login+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return b.ListenAddrs()[0], write("pem.properties", "ssl.truststore.type=PEM\nssl.truststore.location="+ca+"\n"),
		write("jks.properties", "ssl.truststore.location="+jks+"\nssl.truststore.password="+fakePassword+"\n")
}

// TestSecuredCluster: every command that speaks to a cluster does so with the
// TLS and the login of a Java client's properties, and keeps the secrets.
func TestSecuredCluster(t *testing.T) {
	address, pemFile, jksFile := secured(t)
	dir := filepath.Join(t.TempDir(), "run")
	for _, args := range [][]string{
		{"run", "--config-file", pemFile, "-n", "3000", "--verify", "full", "-q", "--format", "json"},
		{"run", "--config-file", jksFile, "-n", "3000", "--verify", "count", "-q", "--keep-topic", "-o", dir + "-count"},
		{"run", "--config-file", pemFile, "-t", "mine", "-n", "3000", "-r", "20k", "--e2e", "--verify", "full", "--max-lag", "10s", "-q", "-o", dir},
		{"run", "--config-file", jksFile, "-n", "3000", "--procs", "2", "-q", "-t", "mine"},
		{"verify", dir, "--config-file", jksFile, "-q"},
		{"env", "--config-file", pemFile},
		{"perf-test", "--command-config", pemFile, "--topic", "mine", "--num-records", "1000", "--record-size", "100", "--throughput", "-1"},
		{"verifiable", "--bootstrap-server", address, "--command-config", jksFile, "--topic", "mine", "--max-messages", "10"},
		{"ramp", "--config-file", pemFile, "--from", "1k", "--to", "1100", "--hold", "200ms", "--warmup", "0s", "--confirm", "1", "--slo", "errors==0", "--max-lag", "10s", "-q", "-o", dir + "-ramp"},
		{"compare", "--config-file", jksFile, "--client", "kring", "--scenario", "open-1", "--runs", "1", "-d", "300ms", "--warmup", "100ms", "--max-lag", "10s", "-o", dir + "-compare"},
	} {
		t.Run(strings.Join(args[:1], " "), func(t *testing.T) {
			code, out, messages := outputOf(t, args...)
			if code != 0 {
				t.Errorf("exit code %d\n%s\n%s", code, out, messages)
			}
			if strings.Contains(out+messages, "canary") {
				t.Errorf("the password is in the output:\n%s\n%s", out, messages)
			}
		})
	}
	leaks(t, filepath.Dir(dir))
}

// outputOf runs kbench as a process of its own: its workers are kbench, too.
func outputOf(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := command(t, args...)
	var out, messages strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), messages.String()
}

// leaks looks for the password in everything that was written.
func leaks(t *testing.T, dir string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), "canary") {
			t.Errorf("the password is in %s", path)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
}

// TestSecuredRefusals: what is wrong with a way to connect is said in one line,
// without the secret.
func TestSecuredRefusals(t *testing.T) {
	address, pemFile, _ := secured(t)
	dir := t.TempDir()
	for want, args := range map[string][]string{
		"TLS or a SASL listener|is this":      {"run", "-b", address, "-n", "10", "-q"},
		"the embedded broker has neither TLS": {"run", "-X", "security.protocol=SSL", "-n", "10", "-q"},
		"during SCRAM-SHA-256 authentication": {"run", "--config-file", pemFile, "-X", `sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="canary-no";`, "-n", "10", "-q"},
		"only how to connect can be said":     {"verify", dir, "-X", "acks=all"},
		`security.protocl|security.protocol`:  {"env", "-b", address, "-X", "security.protocl=SSL"},
		"nosuch.properties: no such file":     {"compare", "--config-file", "nosuch.properties"},
		"certificate|authority":               {"env", "-b", address, "-X", "security.protocol=SSL"},
	} {
		code, out, messages := outputOf(t, args...)
		found := false
		for _, one := range strings.Split(want, "|") {
			found = found || strings.Contains(messages, one)
		}
		if code != 1 && code != 2 || !found || strings.Contains(out+messages, "canary") {
			t.Errorf("%v: exit code %d, want %q in\n%s\n%s", args, code, want, out, messages)
		}
	}
}
