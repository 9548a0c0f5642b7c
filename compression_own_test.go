package kring_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

// ownGzip compresses with another encoder than kring's, and counts.
type ownGzip struct {
	calls atomic.Int32
	fault func(dst, src []byte) ([]byte, error) // nil: works
}

func (g *ownGzip) Append(dst, src []byte) ([]byte, error) {
	g.calls.Add(1)
	if g.fault != nil {
		return g.fault(dst, src)
	}
	b := bytes.NewBuffer(dst)
	w, err := gzip.NewWriterLevel(b, gzip.BestSpeed)
	if err != nil {
		return dst, err
	}
	w.Comment = "own" // seen in the log, if it was this one
	if _, err = w.Write(src); err == nil {
		err = w.Close()
	}
	return b.Bytes(), err
}

// TestCompressWith: batches of its codec are the program's own work, those of
// other codecs kring's; and what it does wrong costs the compression only.
func TestCompressWith(t *testing.T) {
	tests := []struct {
		name  string
		fault func(dst, src []byte) ([]byte, error)
		log   string // what the log says
	}{
		{"works", nil, ""},
		{"fails", func(dst, _ []byte) ([]byte, error) { return dst, errors.New("no device") }, "no device"},
		{"panics", func([]byte, []byte) ([]byte, error) { panic("no device") }, "no device"},
		{"returns nothing", func([]byte, []byte) ([]byte, error) { return nil, nil }, "did not append"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var seen atomic.Int32
			look := func(codec int8, data []byte) ([]byte, error) {
				if bytes.Contains(data[:min(len(data), 64)], []byte("own\x00")) {
					seen.Add(1)
				}
				return expand.Expand(codec, data)
			}
			b := caseBroker(t, broker.Config{Decompress: look})
			var text lockedBuffer
			by := &ownGzip{fault: test.fault}
			p := caseProducer(t, b.Addrs(), kring.CompressWith(kring.Gzip, by), kring.Compression(kring.Gzip),
				kring.TopicSettings("other", kring.TopicCompression(kring.Zstd)), kring.Logger(slog.New(slog.NewTextHandler(&text, nil))))
			value := []byte(strings.Repeat("kring ", 100))
			for _, topic := range []string{"t", "other"} {
				if _, err := p.ProduceSync(patient(t), kring.Record{Topic: topic, Partition: kring.On(0), Value: value}); err != nil {
					t.Fatal(err)
				}
				if got := logValues(t, b, topic, 0); len(got) != 1 || got[0] != string(value) {
					t.Errorf("log of %s: %q", topic, got)
				}
			}
			if n := by.calls.Load(); n != 1 {
				t.Errorf("the Compressor was called %d times, want once", n)
			}
			if got := seen.Load() > 0; got != (test.fault == nil) {
				t.Errorf("its work is in the log: %v", got)
			}
			if s := text.String(); test.log == "" && strings.Contains(s, "compressed") ||
				test.log != "" && !(strings.Contains(s, test.log) && strings.Contains(s, "ownGzip")) {
				t.Errorf("log: %s", s)
			}
		})
	}
}

// TestBadCompressWith: there is no codec to do that work for.
func TestBadCompressWith(t *testing.T) {
	for codec, name := range map[kring.Codec]string{kring.NoCompression: "none", 9: "9"} {
		_, err := kring.New(kring.Brokers("localhost:1"), kring.CompressWith(codec, &ownGzip{}))
		checkText(t, err, kring.ErrConfig, "CompressWith(", name, "want Gzip, Snappy, LZ4 or Zstd")
	}
}
