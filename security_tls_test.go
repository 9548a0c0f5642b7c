package kring_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/kring-go/kring"
)

// TestCertificateRotation: a broker sees the certificate that lies on disk when
// the connection is made; a rotation that is half done, or undone, ends nothing.
func TestCertificateRotation(t *testing.T) {
	files, server := newTestFiles(t), newTestFiles(t)
	pair, err := tls.LoadX509KeyPair(server.cert, server.key)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var serials []string
	b := newWireBroker(t, func(b *wireBroker) {
		b.ln = tls.NewListener(b.ln, &tls.Config{
			Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
			VerifyConnection: func(s tls.ConnectionState) error {
				mu.Lock()
				defer mu.Unlock()
				serials = append(serials, s.PeerCertificates[0].SerialNumber.String())
				return nil
			},
		})
		b.produce = func(c *wireConn, q *wireRequest) {
			c.accept(q)
			_ = c.nc.Close() // so that every record takes a connection of its own
		}
	})
	var log logBuffer
	p := caseProducer(t, []string{b.addr()}, kring.TLSFiles(server.ca, files.cert, files.key),
		kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	send := func() string {
		t.Helper()
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		return serials[len(serials)-1]
	}
	first := send()
	if again := send(); again != first {
		t.Errorf("another certificate without a change of the files: %s, %s", first, again)
	}
	old := files.read(t, files.key)
	files.renew(t)
	renewed := files.read(t, files.key)
	if err := os.WriteFile(files.key, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if half := send(); half != first {
		t.Errorf("certificate %s in the middle of a rotation, want the first, %s", half, first)
	}
	if !strings.Contains(log.String(), "can not be used, the ones of before stay") {
		t.Errorf("nobody was told: %s", log.String())
	}
	if err := os.WriteFile(files.key, []byte(renewed), 0o600); err != nil {
		t.Fatal(err)
	}
	if second := send(); second == first {
		t.Errorf("certificate %s after the rotation, want another one", second)
	}
	if err := os.Remove(files.cert); err != nil {
		t.Fatal(err)
	}
	if last := send(); last == first {
		t.Errorf("certificate %s without a file, want that of the rotation", last)
	}
}

// TestTLSStores: what the function returns serves the next connection, its
// failure ends nothing, and of several certificates the broker gets one that it
// asks for, or else the first.
func TestTLSStores(t *testing.T) {
	server := newTestFiles(t)
	load := func(f *testFiles) tls.Certificate {
		t.Helper()
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	first := load(server)
	server.renew(t)
	second := load(server)
	cert, key := (&testFiles{}).make(t, x509.Certificate{Subject: pkix.Name{CommonName: "strange"}})
	strange := tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
	trust, other := x509.NewCertPool(), x509.NewCertPool()
	trust.AddCert(server.authority)
	settings := &tls.Config{Certificates: []tls.Certificate{first}, ClientAuth: tls.RequireAnyClientCert, ClientCAs: trust}
	var mu sync.Mutex
	var last []byte
	settings.VerifyConnection = func(s tls.ConnectionState) error {
		mu.Lock()
		defer mu.Unlock()
		last = s.PeerCertificates[0].Raw
		return nil
	}
	b := newWireBroker(t, func(b *wireBroker) {
		b.ln = tls.NewListener(b.ln, settings)
		b.produce = func(c *wireConn, q *wireRequest) {
			c.accept(q)
			_ = c.nc.Close() // so that every record takes a connection of its own
		}
	})
	var keys []tls.Certificate
	var fault error
	pool := trust
	source := func() (*x509.CertPool, []tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		return pool, keys, fault
	}
	set := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	set(func() { keys = []tls.Certificate{first} })
	var log logBuffer
	p := caseProducer(t, []string{b.addr()}, kring.TLSStores(source), kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	sends := func(what string, want tls.Certificate) {
		t.Helper()
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		set(func() {
			if !bytes.Equal(last, want.Certificate[0]) {
				t.Errorf("%s: another certificate", what)
			}
		})
	}
	sends("one", first)
	set(func() { keys = []tls.Certificate{second} })
	sends("replaced", second)
	set(func() { keys, fault = nil, errors.New("vault is sealed") })
	sends("a fault", second)
	if !strings.Contains(log.String(), "TLSStores: vault is sealed") {
		t.Errorf("nobody was told: %s", log.String())
	}
	set(func() { keys, fault = []tls.Certificate{strange, first}, nil })
	sends("the one that is asked for", first)
	set(func() { keys = []tls.Certificate{strange} })
	sends("none that is asked for", strange)
	set(func() { pool = other })
	q := caseProducer(t, []string{b.addr()}, kring.TLSStores(source))
	if err := q.Produce(patient(t), kring.Record{Topic: "t"}, nil); !errors.Is(err, kring.ErrAuthentication) {
		t.Errorf("another authority: %v", err)
	}
}
