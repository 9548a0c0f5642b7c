package cluster

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.cert, a.key = a.make(&template)
	return a
}

// make signs a certificate; the authority's own by itself.
func (a *authority) make(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// leaf makes a certificate for host a, unless change says otherwise.
func (a *authority) leaf(change func(*x509.Certificate)) tls.Certificate {
	template := x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"a"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(&template)
	}
	cert, key := a.make(&template)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// TestTLS is G1, G2, G4 and G5: who is let in, and what the others are told.
func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	good, client := ours.leaf(nil), ours.leaf(nil)
	change := func(f func(*x509.Certificate)) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ours.leaf(f)}}
	}
	wantsClient := func(version uint16) *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool(),
			MinVersion: version, MaxVersion: version,
		}
	}
	with := func(c tls.Certificate) func(*tls.Config) {
		return func(cfg *tls.Config) {
			cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }
		}
	}
	tests := []struct {
		name    string
		address string
		server  *tls.Config
		client  func(*tls.Config)
		want    string // "": success
	}{
		{"good", "a:1", &tls.Config{Certificates: []tls.Certificate{good}}, nil, ""},
		{"a dot at the end of the name", "a.:1", &tls.Config{Certificates: []tls.Certificate{good}}, nil, ""},
		{"an address in the certificate", "127.0.0.1:1", change(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }), nil, ""},
		{"TLS 1.2", "a:1", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, nil, ""},
		{"a client certificate", "a:1", wantsClient(tls.VersionTLS13), with(client), ""},
		{"another host", "b:1", &tls.Config{Certificates: []tls.Certificate{good}}, nil, "subject alternative names"},
		{"another address", "127.0.0.2:1", change(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }), nil, "subject alternative names"},
		{"a common name only", "a:1", change(func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "a" }), nil, "subject alternative names"},
		{"an unknown authority", "a:1", &tls.Config{Certificates: []tls.Certificate{theirs.leaf(nil)}}, nil, "name the authority"},
		{"expired", "a:1", change(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), nil, "renew the broker's certificate"},
		{"for clients only", "a:1", change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), nil, "certificate for TLS servers"},
		{"TLS 1.1", "a:1", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil, "TLS authentication failed"},
		{"no client certificate, 1.2", "a:1", wantsClient(tls.VersionTLS12), nil, "if it wants a client certificate"},
		{"no client certificate, 1.3", "a:1", wantsClient(tls.VersionTLS13), nil, "if it wants a client certificate"},
		{"a client certificate of a stranger", "a:1", wantsClient(tls.VersionTLS13), with(theirs.leaf(nil)), "if it wants a client certificate"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			base := &tls.Config{RootCAs: ours.pool(), MinVersion: tls.VersionTLS12}
			if tc.client != nil {
				tc.client(base)
			}
			cfg := tlsWorld(t, tc.server)
			cfg.Handshake = TLS(func() (*tls.Config, error) { return base, nil })
			link, err := Connect(t.Context(), cfg, tc.address)
			if err == nil {
				link.Close()
			}
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if got := errors.As(err, new(*AuthError)); got != (tc.want != "") {
				t.Errorf("%v is an AuthError: %t", err, got)
			}
			if base.ServerName != "" {
				t.Error("the caller's tls.Config was changed")
			}
		})
	}
}

// tlsWorld is a Config whose every address leads to one scripted broker behind
// TLS, over TCP: crypto/tls writes alerts to a peer that may not be reading.
func tlsWorld(t *testing.T, server *tls.Config) Config {
	t.Helper()
	b := newBroker("a:1")
	ln, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go b.serve(conn)
		}
	}()
	return Config{Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
	}}
}

// TestTLSToOtherPeers: what speaks no TLS is recognised, and never gets a
// Kafka byte.
func TestTLSToOtherPeers(t *testing.T) {
	for _, tc := range []struct {
		name  string
		reply string // then the connection is closed
		want  string
		fatal bool
	}{
		{"a broker without TLS hangs up", "", "is this a PLAINTEXT", false},
		{"an answer in plaintext", "\x00\x00\x00\x0a0123456789", "does not answer in TLS", true},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer in TLS", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make(chan []byte, 1)
			cfg := Config{
				Dial: func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					go func() {
						first := make([]byte, 64<<10)
						n, _ := server.Read(first)
						got <- first[:n]
						go func() { _, _ = io.Copy(io.Discard, server) }()
						_, _ = io.WriteString(server, tc.reply)
						_ = server.Close()
					}()
					return client, nil
				},
				Handshake: TLS(func() (*tls.Config, error) { return &tls.Config{}, nil }),
			}
			_, err := Connect(t.Context(), cfg, "a:1")
			if err == nil || !strings.Contains(err.Error(), tc.want) || errors.As(err, new(*AuthError)) != tc.fatal {
				t.Errorf("error %v, want %q, fatal %t", err, tc.want, tc.fatal)
			}
			if hello := <-got; len(hello) < 3 || hello[0] != 0x16 || hello[1] != 3 {
				t.Errorf("the first bytes were % x, want a TLS handshake", hello[:min(len(hello), 8)])
			}
		})
	}
}

// TestTLSStalls is G6: a peer that accepts and says nothing, or reads nothing.
func TestTLSStalls(t *testing.T) {
	for _, reads := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := Config{
				RequestTimeout: 7 * time.Second,
				Dial: func(context.Context, string, string) (net.Conn, error) {
					client, server := net.Pipe()
					if reads {
						go func() { _, _ = io.Copy(io.Discard, server) }()
					}
					t.Cleanup(func() { _ = server.Close() })
					return client, nil
				},
				Handshake: TLS(func() (*tls.Config, error) { return &tls.Config{}, nil }),
			}
			begin := time.Now()
			_, err := Connect(t.Context(), cfg, "a:1")
			if err == nil || !strings.Contains(err.Error(), "no end of the handshake within 7s") {
				t.Errorf("reads %t: error %v", reads, err)
			}
			if took := time.Since(begin); took > 13*time.Second { // closing may say goodbye for 5 s
				t.Errorf("reads %t: it took %v", reads, took)
			}
		})
	}
}

// TestHandshakeCanNotBegin: what is wrong here is no fault of the broker's.
func TestHandshakeCanNotBegin(t *testing.T) {
	cfg := newWorld(newBroker("a:1")).config()
	cfg.Handshake = TLS(func() (*tls.Config, error) { return nil, errors.New("no such file") })
	if _, err := Connect(t.Context(), cfg, "a:1"); err == nil || err.Error() != "handshake: no such file" {
		t.Errorf("error %v", err)
	}
}
