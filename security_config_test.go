package kring

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/sasl"
)

// TestSecurityProblems is what New refuses, each mistake in one line.
func TestSecurityProblems(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	garbage := file("garbage", "hello")
	authority := newAuthorityFile(t, dir)
	encrypted := file("encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	plain := SASL(sasl.Plain("u", "p"))
	from := func(pairs ...string) Option {
		properties := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			properties[pairs[i]] = pairs[i+1]
		}
		o, err := FromProperties(properties)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	stores := func(trust *x509.CertPool, err error, keys ...tls.Certificate) Option {
		return TLSStores(func() (*x509.CertPool, []tls.Certificate, error) { return trust, keys, err })
	}
	for _, tc := range []struct {
		name string
		opts []Option
		want string // "": accepted
	}{
		{"TLS", []Option{TLS(nil)}, ""},
		{"stores of nothing", []Option{stores(nil, nil)}, ""},
		{"no stores", []Option{TLSStores(nil)}, ""},
		{"SCRAM without TLS", []Option{SASL(sasl.ScramSHA256("u", "p"))}, ""},
		{"PLAIN over TLS", []Option{TLS(nil), plain}, ""},
		{"permitted", []Option{plain, InsecurePlaintextLogin()}, ""},
		{"an option after the properties wins", []Option{from("security.protocol", "PLAINTEXT"), TLS(nil)}, ""},
		{"OAUTHBEARER from both", []Option{from("security.protocol", "SASL_SSL", "sasl.mechanism", "OAUTHBEARER"), SASL(sasl.OAuthBearerToken("x"))}, ""},
		{"addresses that say so", []Option{TLS(nil), Brokers("SSL://a:1")}, ""},
		{"no host check, on purpose", []Option{from("security.protocol", "SSL", "ssl.endpoint.identification.algorithm", ""), InsecureSkipVerify()}, ""},

		{"PLAIN in the clear", []Option{plain}, "SASL PLAIN sends its secret in the clear"},
		{"a token in the clear", []Option{SASL(sasl.OAuthBearerToken("x"))}, "SASL OAUTHBEARER sends its secret in the clear"},
		{"no mechanism", []Option{SASL(nil)}, "SASL: the mechanism is nil"},
		{"no user", []Option{SASL(sasl.ScramSHA256("", "p"))}, "SASL SCRAM-SHA-256: the user name is empty"},
		{"no token source", []Option{TLS(nil), SASL(sasl.OAuthBearer(nil))}, "returns the token is nil"},
		{"old TLS", []Option{TLS(&tls.Config{MinVersion: tls.VersionTLS11})}, "before TLS 1.2"},
		{"no CA file", []Option{TLSFiles(filepath.Join(dir, "none"), "", "")}, "TLSFiles: open "},
		{"a CA file of nothing", []Option{TLSFiles(garbage, "", "")}, "TLSFiles: no certificate was found"},
		{"a certificate without a key", []Option{TLSFiles("", garbage, "")}, "needs its private key"},
		{"a pair that is none", []Option{TLSFiles("", garbage, garbage)}, "TLSFiles: the client certificate and its key can not be used"},
		{"stores that are not there", []Option{stores(nil, errors.New("vault is sealed"))}, "TLSStores: vault is sealed"},
		{"a store without a key", []Option{stores(nil, nil, tls.Certificate{Certificate: [][]byte{{0}}})}, "TLSStores: client certificate 1 of 1 lacks its chain or its private key"},
		{"two trust stores", []Option{TLSFiles(authority, "", ""), stores(x509.NewCertPool(), nil)}, "TLSStores and TLSFiles both say which authorities are trusted"},
		{"stores without TLS", []Option{stores(nil, nil), from("security.protocol", "PLAINTEXT")}, "TLSStores has no effect, since connections are PLAINTEXT"},
		{"an encrypted key", []Option{TLSFiles("", garbage, encrypted)}, "TLSFiles: the private key is encrypted"},
		{"no host check", []Option{from("security.protocol", "SSL", "ssl.endpoint.identification.algorithm", "")}, "for any host"},
		{"never back to plaintext", []Option{TLS(nil), from("security.protocol", "PLAINTEXT")}, "TLS has no effect, since connections are PLAINTEXT"},
		{"never without the login", []Option{TLS(nil), plain, from("security.protocol", "SSL")}, "the SASL login has no effect, since connections are SSL"},
		{"a store without TLS", []Option{from("ssl.truststore.type", "PEM", "ssl.truststore.location", garbage)}, "ssl.truststore.location has no effect"},
		{"verification of nothing", []Option{InsecureSkipVerify()}, "InsecureSkipVerify has no effect"},
		{"SASL without a mechanism", []Option{from("security.protocol", "SASL_SSL")}, "security.protocol=SASL_SSL needs sasl.mechanism"},
		{"Java's default mechanism", []Option{from("security.protocol", "SASL_SSL", "sasl.mechanism", "GSSAPI")}, "needs sasl.mechanism"},
		{"a mechanism without credentials", []Option{from("security.protocol", "SASL_SSL", "sasl.mechanism", "PLAIN")}, "sasl.mechanism=PLAIN needs sasl.jaas.config"},
		{"another protocol in the address", []Option{TLS(nil), Brokers("PLAINTEXT://a:1")}, `address "PLAINTEXT://a:1": connections are SSL`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := newConfig(append([]Option{Brokers("a:1")}, tc.opts...))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// newAuthorityFile writes a certificate that signs itself.
func newAuthorityFile(t *testing.T, dir string) string {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "authority.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSecurityPropertyProblems is what FromProperties finds by itself.
func TestSecurityPropertyProblems(t *testing.T) {
	for _, tc := range []struct {
		name  string
		pairs map[string]string
		want  string
	}{
		{"JKS", map[string]string{"ssl.truststore.location": "x.jks"}, "ssl.truststore.location: want ssl.truststore.type=PEM: Java's default is JKS"},
		{"JKS, named", map[string]string{"ssl.keystore.location": "x.jks", "ssl.keystore.type": "JKS"}, "ssl.keystore.location: want ssl.keystore.type=PEM"},
		{"PKCS12", map[string]string{"ssl.truststore.type": "PKCS12"}, "want PEM; for JKS and PKCS12, use FromProperties of the module plugin/kringkeystore"},
		{"a store's password", map[string]string{"ssl.truststore.password": "x"}, "PEM files without a password"},
		{"two stores", map[string]string{"ssl.truststore.type": "PEM", "ssl.truststore.location": "a", "ssl.truststore.certificates": "b"}, "one of them is enough"},
		{"Amazon's mechanism", map[string]string{"sasl.mechanism": "AWS_MSK_IAM"}, "plugin/kringmsk"},
		{"Kerberos' settings", map[string]string{"sasl.kerberos.service.name": "kafka"}, "plugin/kringgssapi"},
		{"JAAS alone", map[string]string{"sasl.jaas.config": "x"}, "sasl.mechanism is missing"},
		{"JAAS of nothing", map[string]string{"sasl.jaas.config": "x", "sasl.mechanism": "PLAIN"}, "sasl.jaas.config: want a login module"},
		{"Kerberos", map[string]string{"sasl.mechanism": "SCRAM-SHA-1"}, "sasl.mechanism: want PLAIN"},
		{"protocol", map[string]string{"security.protocol": "TLS"}, "want PLAINTEXT, SSL"},
		{"TLS 1.1", map[string]string{"ssl.enabled.protocols": "TLSv1.1"}, "want TLSv1.2, TLSv1.3 or both"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := FromProperties(tc.pairs)
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// TestSecurityWarns: what is insecure on purpose is said once (G3).
func TestSecurityWarns(t *testing.T) {
	for _, tc := range []struct {
		name string
		opts []Option
		want string
	}{
		{"nothing", []Option{TLS(nil), SASL(sasl.Plain("u", "p"))}, ""},
		{"no verification", []Option{TLS(nil), InsecureSkipVerify()}, "not verified"},
		{"by the settings", []Option{TLS(&tls.Config{InsecureSkipVerify: true})}, "not verified"},
		{"verified by the caller", []Option{TLS(&tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }})}, ""},
		{"a login in the clear", []Option{SASL(sasl.Plain("u", "p")), InsecurePlaintextLogin()}, "in the clear"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log strings.Builder
			if _, err := newConfig(append(tc.opts, Brokers("a:1"), Logger(slog.New(slog.NewTextHandler(&log, nil))))); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(log.String(), "INSECURE"); got != min(1, len(tc.want)) || !strings.Contains(log.String(), tc.want) {
				t.Errorf("logged %q, want %q", log.String(), tc.want)
			}
		})
	}
}
