package kringkeystore

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

// gate speaks TLS in front of a cluster, and knows whom it let in.
type gate struct {
	ln      net.Listener
	target  string
	config  tls.Config
	running sync.WaitGroup

	mu   sync.Mutex
	seen []string // serial numbers of the clients' certificates
	open []net.Conn
}

// newGate wants a certificate that one of clients has signed.
func newGate(t *testing.T, target string, server *pair, clients ...*pair) *gate {
	t.Helper()
	g := &gate{target: target, config: tls.Config{
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: server.key}},
	}}
	for _, c := range clients {
		g.config.ClientCAs.AddCert(c.Certificate)
	}
	var err error
	if g.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	g.running.Go(g.accept)
	t.Cleanup(func() {
		_ = g.ln.Close()
		g.hangUp()
		g.running.Wait()
	})
	return g
}

func (g *gate) accept() {
	for {
		conn, err := g.ln.Accept()
		if err != nil {
			return
		}
		g.keep(conn)
		g.running.Go(func() { g.serve(conn) })
	}
}

func (g *gate) keep(conn net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = append(g.open, conn)
}

func (g *gate) serve(conn net.Conn) {
	defer conn.Close()
	secured := tls.Server(conn, &g.config)
	if secured.HandshakeContext(context.Background()) != nil {
		return
	}
	g.mu.Lock()
	g.seen = append(g.seen, secured.ConnectionState().PeerCertificates[0].SerialNumber.String())
	g.mu.Unlock()
	behind, err := net.Dial("tcp", g.target)
	if err != nil {
		return
	}
	g.keep(behind)
	g.running.Go(func() {
		_, _ = io.Copy(behind, secured) // either side may hang up
		_ = behind.Close()
	})
	_, _ = io.Copy(secured, behind)
}

// hangUp ends all connections.
func (g *gate) hangUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.open {
		_ = conn.Close()
	}
	g.open = nil
}

func (g *gate) last() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen[len(g.seen)-1]
}

// reach leads every connection to the gate.
func (g *gate) reach() kring.Option {
	return kring.WithDialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, g.ln.Addr().String())
	})
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// replace puts a file into another's place in one step.
func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, path); err != nil {
		t.Fatal(err)
	}
}

// TestRotation: a producer that is configured as a Java client sends records
// through mTLS. A store that is replaced serves the next connection; one that
// can not be used, or is gone, ends nothing.
func TestRotation(t *testing.T) {
	ca := newPair(t, "ca", "EC", nil)
	first, second, third := newPair(t, "first", "EC", ca), newPair(t, "second", "RSA", ca), newPair(t, "third", "EC", ca)
	cluster := kringtest.NewCluster(t, kringtest.Topic("t", 1))
	g := newGate(t, cluster.Addrs()[0], newPair(t, "broker", "EC", ca), ca)
	type list = map[string][]*pair
	key := write(t, "client.jks", jks(t, canary, canaryKey, list{"app": {first, ca}}, nil))
	trust := write(t, "trust.p12", p12Trust(t, pkcs12.Modern2023, canary, newPair(t, "other", "EC", nil), ca))
	options, err := FromProperties(map[string]string{
		"bootstrap.servers": cluster.Addrs()[0], "security.protocol": "SSL",
		"ssl.keystore.location": key, "ssl.keystore.password": canary, "ssl.key.password": canaryKey,
		"ssl.truststore.location": trust, "ssl.truststore.password": canary, "ssl.truststore.type": "JKS",
	})
	if err != nil {
		t.Fatal(err)
	}
	var log buffer
	p, err := kring.New(append(options, g.reach(), kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	defer func() {
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	sends := func(what string, want *pair) {
		t.Helper()
		if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Value: []byte(what)}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := g.last(); got != want.SerialNumber.String() {
			t.Errorf("%s: another certificate than that of %s", what, want.Subject.CommonName)
		}
		g.hangUp()
	}
	sends("as it was", first)
	sends("unchanged", first)
	replace(t, key, jks(t, canary, canaryKey, list{"app": {second, ca}}, nil))
	sends("replaced", second)
	replace(t, key, jks(t, canary, canary, list{"app": {third, ca}}, nil))
	sends("with another password", second)
	if text := log.String(); !strings.Contains(text, "the password of the private key is wrong") || strings.Contains(text, "canary") {
		t.Errorf("logged: %s", text)
	}
	replace(t, trust, p12Trust(t, pkcs12.Modern2023, "another", ca))
	replace(t, key, p12(t, pkcs12.Modern2023, canary, third, ca))
	sends("with a trust store that can not be opened", second)
	replace(t, trust, jks(t, canary, "", nil, map[string]*pair{"ca": ca}))
	sends("in the other formats", third)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	sends("gone", third)
	if got := len(cluster.Records("t", 0)); got != 7 {
		t.Errorf("%d records, want 7", got)
	}
}

// TestSeveralKeys: the broker is sent a certificate of the authority that it
// names, whatever comes first.
func TestSeveralKeys(t *testing.T) {
	ca, strange := newPair(t, "ca", "EC", nil), newPair(t, "strange", "EC", nil)
	mine := newPair(t, "mine", "EC", ca)
	cluster := kringtest.NewCluster(t, kringtest.Topic("t", 1))
	g := newGate(t, cluster.Addrs()[0], newPair(t, "broker", "EC", ca), ca)
	key := write(t, "client.jks", jks(t, canary, canary, map[string][]*pair{"a": {newPair(t, "a", "EC", strange)}, "b": {mine, ca}}, nil))
	trust := write(t, "trust.jks", jks(t, canary, "", nil, map[string]*pair{"ca": ca}))
	p, err := kring.New(kring.Brokers(cluster.Addrs()[0]), g.reach(), TLS(Store{Path: trust}, Store{Path: key, Password: Secret(canary)}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := p.ProduceSync(ctx, kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if got := g.last(); got != mine.SerialNumber.String() {
		t.Error("another certificate was sent")
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
}

// TestTrustCounts: a broker of another authority is refused.
func TestTrustCounts(t *testing.T) {
	ca, strange := newPair(t, "ca", "EC", nil), newPair(t, "strange", "EC", nil)
	cluster := kringtest.NewCluster(t)
	g := newGate(t, cluster.Addrs()[0], newPair(t, "broker", "EC", strange), ca)
	trust := write(t, "trust.jks", jks(t, canary, "", nil, map[string]*pair{"ca": ca}))
	p, err := kring.New(kring.Brokers(cluster.Addrs()[0]), g.reach(), TLS(Store{Path: trust}, Store{}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.Produce(ctx, kring.Record{Topic: "t"}, nil); err == nil || !strings.Contains(err.Error(), "name the authority that signed") {
		t.Errorf("error %v", err)
	}
	if err := p.Close(ctx); err != nil {
		t.Error(err)
	}
}
