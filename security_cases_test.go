package kring_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
)

// TestClientChainIsSent is G4: a broker that trusts the root only gets the
// certificates between it and the client's (librdkafka #4894).
func TestClientChainIsSent(t *testing.T) {
	server, client := newTestFiles(t), newTestFiles(t)
	pair, err := tls.LoadX509KeyPair(server.cert, server.key)
	if err != nil {
		t.Fatal(err)
	}
	root := x509.NewCertPool()
	root.AddCert(client.authority)
	middle, signer := client.make(t, x509.Certificate{
		Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	client.authority, client.signer = middle, signer
	client.renew(t)
	leaf := client.read(t, client.cert)
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: middle.Raw}))
	for _, tc := range []struct {
		name, text string
		ok         bool
	}{
		{"the chain", leaf + chain, true},
		{"the leaf alone", leaf, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(client.cert, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			b := newWireBroker(t, func(b *wireBroker) {
				b.ln = tls.NewListener(b.ln, &tls.Config{
					Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: root,
				})
			})
			p := caseProducer(t, []string{b.addr()}, kring.TLSFiles(server.ca, client.cert, client.key))
			if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")}); (err == nil) != tc.ok {
				t.Errorf("error %v, want none: %t", err, tc.ok)
			}
		})
	}
}

// TestLoginStalls is G6: a broker that takes a message of the login and is
// silent from then on holds up neither Produce, beyond its limit, nor Close.
func TestLoginStalls(t *testing.T) {
	for _, stalled := range []int16{18, 17, 36} { // ApiVersions, SaslHandshake, SaslAuthenticate
		t.Run(fmt.Sprint("key ", stalled), func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				wantLogin(b, func(*wireConn, *kmsg.SASLAuthenticateResponse) {})
				talk := b.raw
				b.raw = func(c *wireConn, key, version int16, correlation int32) bool {
					return key == stalled || talk(c, key, version, correlation)
				}
			})
			p := caseProducer(t, []string{b.addr()}, kring.SASL(sasl.Plain("user", canary)), kring.InsecurePlaintextLogin(),
				kring.MaxBlock(500*time.Millisecond))
			begin := time.Now()
			if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); err == nil || strings.Contains(err.Error(), canary) {
				t.Errorf("error %v", err)
			}
			closeEmpty(t, p)
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("the end came after %v", took)
			}
		})
	}
}

// TestRecordsAreInNoOutput is G13: keys, values and headers are in no log line,
// error or DebugState, however a record ends.
func TestRecordsAreInNoOutput(t *testing.T) {
	var log logBuffer
	var out strings.Builder
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) {
			switch q.number {
			case 1:
				c.fail(q, 87) // INVALID_RECORD
			case 2: // silence
			default:
				c.accept(q)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.RequestTimeout(300*time.Millisecond),
		kring.Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	record := kring.Record{
		Topic: "t", Partition: kring.On(0), Key: []byte(canary), Value: []byte(strings.Repeat(canary, 10)),
		Headers: []kring.Header{{Key: canary, Value: []byte(canary)}},
	}
	tell := func(what string, err error) {
		fmt.Fprintf(&out, "%s: %v %+v %#v\n", what, err, err, err)
	}
	_, err := p.ProduceSync(patient(t), record)
	if err == nil {
		t.Error("the broker's refusal is lost")
	}
	tell("refused", err)
	if _, err = p.ProduceSync(patient(t), record); err != nil { // sent twice
		t.Error(err)
	}
	large := record
	large.Value = make([]byte, 64<<20)
	copy(large.Value, canary)
	tell("too large", p.Produce(patient(t), large, nil))
	nowhere := record
	nowhere.Topic = "no such/" // the name is shown, the rest not
	tell("no topic", p.Produce(patient(t), nowhere, nil))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tell("cancelled", p.Produce(ended, record, nil))
	out.WriteString(p.DebugState())
	closeEmpty(t, p)
	tell("closed", p.Produce(patient(t), record, nil))
	out.WriteString(log.String())
	if at := strings.Index(out.String(), canary); at >= 0 {
		t.Errorf("a record is shown: …%s…", out.String()[max(0, at-300):at])
	}
	for _, word := range []string{"too large", "closed", "connected"} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("%q is not in the output, which shows nothing", word)
		}
	}
}
