package kring_test

import (
	"crypto/tls"
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
