package kring_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
)

const canary = "hunter2-canary"

// guarded makes a wireBroker want TLS.
func guarded(t *testing.T, script func(*wireBroker)) (*wireBroker, kring.Option) {
	t.Helper()
	files := newTestFiles(t)
	pair, err := tls.LoadX509KeyPair(files.cert, files.key)
	if err != nil {
		t.Fatal(err)
	}
	b := newWireBroker(t, func(b *wireBroker) {
		b.ln = tls.NewListener(b.ln, &tls.Config{Certificates: []tls.Certificate{pair}})
		if script != nil {
			script(b)
		}
	})
	return b, kring.TLSFiles(files.ca, "", "")
}

// wantLogin makes a wireBroker answer every login as verdict says.
func wantLogin(b *wireBroker, verdict func(c *wireConn, r *kmsg.SASLAuthenticateResponse)) {
	b.apis = func(r *kmsg.ApiVersionsResponse) {
		for _, a := range [][2]int16{{17, 1}, {36, 2}} {
			k := kmsg.NewApiVersionsResponseApiKey()
			k.ApiKey, k.MaxVersion = a[0], a[1]
			r.ApiKeys = append(r.ApiKeys, k)
		}
	}
	before := b.raw
	b.raw = func(c *wireConn, key, version int16, correlation int32) bool {
		switch key {
		case 17:
			c.answer(correlation, kmsg.NewPtrSASLHandshakeResponse())
			return true
		case 36:
			r := kmsg.NewPtrSASLAuthenticateResponse()
			r.Version = version
			verdict(c, r)
			c.answer(correlation, r)
			return true
		}
		return before != nil && before(c, key, version, correlation)
	}
}

// TestProduceOverTLS sends more than a pipe, a record of TLS and a socket hold.
func TestProduceOverTLS(t *testing.T) {
	b, trust := guarded(t, func(b *wireBroker) {
		wantLogin(b, func(*wireConn, *kmsg.SASLAuthenticateResponse) {})
	})
	p := caseProducer(t, []string{b.addr()}, trust, kring.SASL(sasl.Plain("user", canary)), kring.BufferMemory(8<<20))
	got := newOutcomes()
	sizes := []int{0, 1, 16 << 10, 16<<10 + 1, 300 << 10, 900 << 10, 7, 900 << 10}
	for i, n := range sizes {
		value := bytes.Repeat([]byte{byte(i)}, n)
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: value}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	for i, d := range got.wait(t, len(sizes)) {
		if d.Err != nil || d.Offset != int64(i) {
			t.Errorf("record %d: offset %d, %v", i, d.Offset, d.Err)
		}
	}
}

// TestTLSConnectionDies: with requests on it a connection over TLS goes silent,
// then one is cut; everything is sent again on the next.
func TestTLSConnectionDies(t *testing.T) {
	b, trust := guarded(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) {
			switch q.number {
			case 1: // silence
			case 2:
				_ = c.nc.(*tls.Conn).NetConn().Close() // without a goodbye
			default:
				c.accept(q)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, trust, kring.RequestTimeout(500*time.Millisecond))
	d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")})
	if err != nil || d.Offset != 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	if n := b.count(0); n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// TestLoginIsRenewed is S61: under load every session of a broker is followed
// by another one before it ends; nothing is lost, doubled or out of order.
func TestLoginIsRenewed(t *testing.T) {
	const session = time.Second // of which a busy machine may take a tenth
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls=%t", secure), func(t *testing.T) {
			var mu sync.Mutex
			ends := map[*wireConn]time.Time{}
			late := 0
			script := func(b *wireBroker) {
				// A broker hangs up at a request that comes after the end.
				b.produce = func(c *wireConn, q *wireRequest) {
					time.Sleep(3 * time.Millisecond) // so slow that something is always under way
					c.accept(q)
				}
				b.raw = func(c *wireConn, key, _ int16, _ int32) bool {
					mu.Lock()
					defer mu.Unlock()
					if key != 0 || time.Now().Before(ends[c]) {
						return false
					}
					late++
					_ = c.nc.Close()
					return true
				}
				wantLogin(b, func(c *wireConn, r *kmsg.SASLAuthenticateResponse) {
					mu.Lock()
					defer mu.Unlock()
					ends[c] = time.Now().Add(session)
					r.SessionLifetimeMillis = session.Milliseconds()
				})
			}
			options := []kring.Option{
				kring.SASL(sasl.Plain("user", canary)), kring.InsecurePlaintextLogin(),
				kring.BatchSize(1 << 10), kring.BufferMemory(64 << 10),
			}
			var b *wireBroker
			if secure {
				var trust kring.Option
				b, trust = guarded(t, script)
				options = append(options, trust)
			} else {
				b = newWireBroker(t, script)
			}
			p := caseProducer(t, []string{b.addr()}, options...)
			records := produceFor(t, p, 4*session)
			if s := p.Stats(); s.AckedRecords != records || s.FailedRecords != 0 {
				t.Errorf("%d of %d records acknowledged, %d failed", s.AckedRecords, records, s.FailedRecords)
			}
			conns := checkSequences(t, b, p.Stats().Disconnects == 0)
			mu.Lock()
			defer mu.Unlock()
			if conns < 4 || 2*late > conns {
				t.Errorf("%d connections in %v, %d of them used too long; want one per session of %v", conns, 4*session, late, session)
			}
		})
	}
}

// produceFor keeps two partitions busy and returns how many records it took.
func produceFor(t *testing.T, p *kring.Producer, d time.Duration) (records uint64) {
	t.Helper()
	var n atomic.Uint64
	var wg sync.WaitGroup
	for g := range 2 { // the full buffer paces them
		wg.Go(func() {
			for end := time.Now().Add(d); time.Now().Before(end); {
				if err := p.Produce(context.Background(), kring.Record{Topic: "t", Partition: kring.On(int32(g)), Value: []byte("v")}, nil); err != nil {
					t.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Error(err)
	}
	return n.Load()
}

// checkSequences: the batches of a partition are those of one sequence without
// a gap, in order, whatever connection they came over; once each, if nothing
// had to be sent again.
func checkSequences(t *testing.T, b *wireBroker, once bool) (conns int) {
	t.Helper()
	next := map[int32]int32{}
	seen := map[int]bool{}
	for _, batch := range b.seen() {
		seen[batch.conn] = true
		if want := next[batch.partition]; batch.sequence > want || once && batch.sequence != want {
			t.Errorf("partition %d: sequence %d on connection %d, want %d", batch.partition, batch.sequence, batch.conn, want)
		}
		next[batch.partition] = max(next[batch.partition], batch.sequence+batch.count)
	}
	return len(seen)
}

// TestWrongPasswordFailsEarly: Produce says so at once, tries few times, and
// recovers by itself.
func TestWrongPasswordFailsEarly(t *testing.T) {
	var logins atomic.Int32
	var right atomic.Bool
	b := newWireBroker(t, func(b *wireBroker) {
		wantLogin(b, func(_ *wireConn, r *kmsg.SASLAuthenticateResponse) {
			logins.Add(1)
			if !right.Load() {
				r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr("Invalid username or password")
			}
		})
	})
	p := caseProducer(t, []string{b.addr()}, kring.SASL(sasl.Plain("user", canary)), kring.InsecurePlaintextLogin())
	begin := time.Now()
	err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil)
	if !errors.Is(err, kring.ErrAuthentication) || time.Since(begin) > 20*time.Second {
		t.Fatalf("after %v: %v, want ErrAuthentication long before MaxBlock", time.Since(begin), err)
	}
	for _, word := range []string{b.addr(), "PLAIN", "Invalid username or password", "check the user name"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in the error: %v", word, err)
		}
	}
	if err := p.TryProduce(kring.Record{Topic: "t"}, nil); !errors.Is(err, kring.ErrAuthentication) {
		t.Errorf("TryProduce: %v", err)
	}
	for range 200 {
		_ = p.TryProduce(kring.Record{Topic: "other"}, nil) // whoever asks, the broker is left alone
	}
	if n, most := logins.Load(), int32(2+time.Since(begin)/(800*time.Millisecond)); n > most {
		t.Errorf("%d logins in %v", n, time.Since(begin))
	}
	right.Store(true)
	until(t, "the producer recovers", func() bool {
		return p.TryProduce(kring.Record{Topic: "t", Value: []byte("v")}, nil) == nil
	})
}

// TestLoginRefusedLater: the topic is known when the password stops working.
// Records are kept until their delivery timeout, whose error says why.
func TestLoginRefusedLater(t *testing.T) {
	var logins atomic.Int32
	b := newWireBroker(t, func(b *wireBroker) {
		wantLogin(b, func(_ *wireConn, r *kmsg.SASLAuthenticateResponse) {
			if logins.Add(1) > 1 {
				r.ErrorCode = 58
			}
		})
	})
	events := &told{}
	p := caseProducer(t, []string{b.addr()}, kring.SASL(sasl.Plain("user", canary)), kring.InsecurePlaintextLogin(), kring.Hooks(events),
		kring.DisableIdempotence(), kring.RequestTimeout(time.Second), kring.DeliveryTimeout(2*time.Second))
	got := newOutcomes()
	begin := time.Now()
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, got.take); err != nil {
		t.Fatal(err)
	}
	d := got.wait(t, 1)[0]
	if !errors.Is(d.Err, kring.ErrAuthentication) || !errors.Is(d.Err, kring.ErrDeliveryTimeout) ||
		produceError(t, d).Certainty != kring.NotPersisted {
		t.Errorf("error %v, want a delivery timeout because of the login, not persisted", d.Err)
	}
	until(t, "a hook hears why there is no connection", func() bool {
		return slices.ContainsFunc(eventsOf[kring.BrokerConnect](events), func(e kring.BrokerConnect) bool { return errors.Is(e.Err, kring.ErrAuthentication) })
	})
	// One that worked, and then at most one for each 0.8 s, from the control
	// connection and from the broker's own.
	if n, most := logins.Load(), int32(4+2*time.Since(begin)/(800*time.Millisecond)); n > most {
		t.Errorf("%d logins in %v, want at most %d", n, time.Since(begin), most)
	}
}

// TestNeverDowngrades is G7: with TLS on, a broker in plaintext never gets a
// Kafka byte, and so no credential.
func TestNeverDowngrades(t *testing.T) {
	noLeaks(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var peers sync.WaitGroup
	var handshakes atomic.Int32
	peers.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			first := make([]byte, 4096)
			n, err := nc.Read(first)
			if n == 0 && err != nil { // Close gave the dial up before its first byte
				_ = nc.Close()
				continue
			}
			handshakes.Add(1)
			if n < 2 || first[0] != 0x16 || first[1] != 3 || bytes.Contains(first, []byte(canary)) {
				t.Errorf("% x came, want a TLS handshake", first[:min(n, 16)])
			}
			_ = nc.Close()
		}
	})
	defer peers.Wait()
	defer func() { _ = ln.Close() }()
	p := caseProducer(t, []string{ln.Addr().String()}, kring.TLS(nil), kring.SASL(sasl.Plain("user", canary)), kring.MaxBlock(300*time.Millisecond))
	if err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil); err == nil || !strings.Contains(err.Error(), "is this a PLAINTEXT") {
		t.Errorf("error %v", err)
	}
	closeEmpty(t, p)
	if handshakes.Load() == 0 {
		t.Error("nobody began a handshake")
	}
}

// TestSecretsAreInNoOutput is P10 and G11: passwords, tokens and keys in no
// log line, error, or print of anything that a program can hold.
func TestSecretsAreInNoOutput(t *testing.T) {
	files := newTestFiles(t)
	key := files.read(t, files.key)
	secretKey := strings.Split(key, "\n")[1] // a line of its base64
	jaas := func(mechanism, module string) map[string]string {
		return map[string]string{
			"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism, "kring.insecure.plaintext.login": "true",
			"sasl.jaas.config": fmt.Sprintf("org.apache.kafka.common.security.%s required username=u password=%q;", module, canary),
		}
	}
	fromProperties := func(m map[string]string) kring.Option {
		o, err := kring.FromProperties(m)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for name, options := range map[string][]kring.Option{
		"PLAIN":      {kring.SASL(sasl.Plain("u", canary)), kring.InsecurePlaintextLogin()},
		"SCRAM":      {kring.SASL(sasl.ScramSHA512("u", canary))},
		"token":      {kring.SASL(sasl.OAuthBearerToken(canary)), kring.InsecurePlaintextLogin()},
		"properties": {fromProperties(jaas("PLAIN", "plain.PlainLoginModule"))},
		"both":       {fromProperties(jaas("SCRAM-SHA-256", "scram.ScramLoginModule"))},
		"a key": {fromProperties(map[string]string{
			"security.protocol": "SSL", "ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": files.read(t, files.cert), "ssl.keystore.key": key,
		})},
	} {
		t.Run(name, func(t *testing.T) {
			start := newWireBroker
			if name == "a key" { // its broker is trusted by nobody
				start = func(t *testing.T, script func(*wireBroker)) *wireBroker {
					b, _ := guarded(t, script)
					return b
				}
			}
			b := start(t, func(b *wireBroker) {
				wantLogin(b, func(_ *wireConn, r *kmsg.SASLAuthenticateResponse) {
					r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr("no entry for the password "+canary)
				})
			})
			var log logBuffer
			options := append(options, kring.Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))), kring.MaxBlock(300*time.Millisecond))
			p := caseProducer(t, []string{b.addr()}, options...)
			err := p.Produce(patient(t), kring.Record{Topic: "t"}, nil)
			if err == nil {
				t.Fatal("the broker took it")
			}
			until(t, "something is logged", func() bool { return log.String() != "" })
			var out strings.Builder
			out.WriteString(p.DebugState())
			closeEmpty(t, p) // fmt reads what the producer's goroutines write
			for _, x := range []any{err, options, p.Stats(), p} {
				fmt.Fprintf(&out, "%v %+v %#v %s\n", x, x, x, x)
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				fmt.Fprintf(&out, "%v %+v\n", e, e)
			}
			out.WriteString(log.String())
			for _, secret := range []string{canary, secretKey, fmt.Sprintf("%x", canary)} {
				if at := strings.Index(out.String(), secret); at >= 0 {
					t.Errorf("the secret is shown: …%s…", out.String()[max(0, at-200):at])
				}
			}
		})
	}
}

// TestSecretsAreInNoConfigError: what is refused is not repeated.
func TestSecretsAreInNoConfigError(t *testing.T) {
	for _, name := range []string{
		"sasl.jaas.config", "sasl.mechanism", "security.protocol", "ssl.keystore.key", "ssl.keystore.certificate.chain",
		"ssl.truststore.certificates", "ssl.truststore.type", "ssl.endpoint.identification.algorithm", "ssl.enabled.protocols",
		"kring.insecure.skip.verify", "ssl.key.password",
	} {
		_, err := kring.FromProperties(map[string]string{name: canary})
		if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
