package kring_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

func codecs() []kring.Codec { return []kring.Codec{kring.Gzip, kring.Snappy, kring.LZ4, kring.Zstd} }

// line is a value as services write them.
func line(rnd *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"user":"user-%d","event":"page_view","path":"/products/%d","ok":true}`,
			rnd.Uint64(), rnd.IntN(10000), rnd.IntN(500))
	}
	return b.Bytes()[:n]
}

// TestCompression: with each codec, and each way in which a batch can be
// sealed, what is in the log is what was produced, and callbacks know it.
func TestCompression(t *testing.T) {
	for _, codec := range codecs() {
		t.Run(codec.String(), func(t *testing.T) {
			b := caseBroker(t, broker.Config{Verify: broker.VerifyFull, Decompress: expand.Expand, Partitions: 2})
			p := caseProducer(t, b.Addrs(), kring.Compression(codec), kring.BatchSize(4<<10), kring.Linger(time.Millisecond))
			ctx := patient(t)
			rnd := rand.New(rand.NewPCG(1, uint64(codec)))
			const n = 2000
			want := make([]kring.Record, n)
			got := newOutcomes()
			for i := range want {
				r := kring.Record{
					Topic: "t", Partition: kring.On(int32(i % 2)), Tag: uint64(i),
					Key: fmt.Append(nil, i), Value: line(rnd, rnd.IntN(300)),
					Headers:   []kring.Header{{Key: "trace", Value: fmt.Append(nil, i*7)}, {Key: "null"}},
					Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)*3),
				}
				switch {
				case i%500 == 499: // larger than a slot
					r.Value = line(rnd, 60_000)
				case i%501 == 500: // does not compress
					r.Value = make([]byte, 2000)
					for k := range r.Value {
						r.Value[k] = byte(rnd.Uint32())
					}
				}
				want[i] = r
				if i%97 == 0 {
					d, err := p.ProduceSync(ctx, r)
					if err != nil {
						t.Fatal(err)
					}
					got.take(d)
					continue
				}
				if err := p.Produce(ctx, r, got.take); err != nil {
					t.Fatal(err)
				}
				if i%333 == 0 {
					if err := p.Flush(ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := p.Flush(ctx); err != nil {
				t.Fatal(err)
			}
			offsets := make(map[uint64]kring.Delivery)
			for _, d := range got.wait(t, n) {
				if d.Err != nil {
					t.Fatal(d.Err)
				}
				offsets[d.Tag] = d
			}
			checkCompressed(t, b, codec, want, offsets)
			if s := p.Stats(); s.CompressedBytes == 0 || s.CompressedBytes > s.RecordBytes*7/10 {
				t.Errorf("%d bytes became %d", s.RecordBytes, s.CompressedBytes)
			}
		})
	}
}

// checkCompressed reads both partitions and looks at every batch.
func checkCompressed(t *testing.T, b *broker.Broker, codec kring.Codec, want []kring.Record, offsets map[uint64]kring.Delivery) {
	t.Helper()
	for part := range int32(2) {
		log, err := b.Log("t", part)
		if err != nil {
			t.Fatal(err)
		}
		compressed, batches := 0, 0
		for batch := range log.Batches() {
			batches++
			switch batch[22] & 7 {
			case byte(codec):
				compressed++
			case 0:
			default:
				t.Fatalf("a batch of codec %d", batch[22]&7)
			}
		}
		if compressed < batches*9/10 {
			t.Errorf("partition %d: %d of %d batches are compressed", part, compressed, batches)
		}
		i := int(part)
		for r := range log.Records() {
			w, d := want[i], offsets[uint64(i)]
			if string(r.Key) != string(w.Key) || !bytes.Equal(r.Value, w.Value) || r.Timestamp != w.Timestamp.UnixMilli() ||
				len(r.Headers) != 2 || string(r.Headers[0].Value) != string(w.Headers[0].Value) || r.Headers[1].Value != nil {
				t.Fatalf("record %d: read key %q, value %.40q, %d headers, timestamp %d", i, r.Key, r.Value, len(r.Headers), r.Timestamp)
			}
			if d.Offset != r.Offset || d.Timestamp != r.Timestamp || d.Partition != part {
				t.Fatalf("record %d: the callback said %+v, the log %d at %d", i, d, r.Offset, r.Timestamp)
			}
			i += 2
		}
		if i != len(want)+int(part) {
			t.Fatalf("partition %d: %d records are missing", part, (len(want)+int(part)-i)/2)
		}
	}
}

// TestCompressedSplit: the broker's limit is below what the compressed batch
// has, and above what its halves have when they are compressed.
func TestCompressedSplit(t *testing.T) {
	b := caseBroker(t, broker.Config{Verify: broker.VerifyFull, Decompress: expand.Expand, MaxBatchBytes: 3000})
	p := caseProducer(t, b.Addrs(), kring.Compression(kring.Zstd), kring.BatchSize(64<<10), kring.Linger(time.Hour))
	rnd := rand.New(rand.NewPCG(1, 2))
	got := newOutcomes()
	var want []string
	for i := range 40 {
		v := line(rnd, 1000)
		want = append(want, string(v))
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: v, Tag: uint64(i)}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for _, d := range got.wait(t, len(want)) {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
	}
	values := logValues(t, b, "t", 0)
	if strings.Join(values, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d values in the log, want %d, in order", len(values), len(want))
	}
	if p.Stats().Splits == 0 {
		t.Error("nothing was split: the case did not happen")
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range log.Batches() {
		n++
	}
	if n > 12 { // as they are, three fit a batch
		t.Errorf("%d batches: the pieces were not compressed", n)
	}
}

func TestCompressionLevels(t *testing.T) {
	for _, tc := range []struct {
		opts []kring.Option
		want string // "": fine
	}{
		{[]kring.Option{kring.Compression(kring.Gzip), kring.CompressionLevel(kring.Gzip, 9)}, ""},
		{[]kring.Option{kring.Compression(kring.LZ4), kring.CompressionLevel(kring.LZ4, 17)}, ""},
		{[]kring.Option{kring.Compression(kring.Zstd), kring.CompressionLevel(kring.Zstd, -5)}, ""},
		{[]kring.Option{kring.Compression(kring.Zstd), kring.CompressionLevel(kring.Gzip, 1)}, ""},
		{[]kring.Option{kring.CompressionLevel(kring.Gzip, 10)}, "CompressionLevel(gzip, 10): the level of gzip must be 1 to 9"},
		{[]kring.Option{kring.CompressionLevel(kring.Snappy, 1)}, "CompressionLevel(snappy, 1): want Gzip, LZ4 or Zstd"},
		{[]kring.Option{kring.Compression(5)}, "Compression(Codec(5)): there is no such codec"},
	} {
		p, err := kring.New(append(tc.opts, kring.Brokers("127.0.0.1:1"))...)
		if tc.want == "" {
			if err != nil {
				t.Error(err)
				continue
			}
			if err := p.Close(patient(t)); err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}

// TestProducerLinksNoExpander: what a producer links can not be made to swell.
func TestProducerLinksNoExpander(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if deps := string(out); strings.Contains(deps, "internal/expand") || !strings.Contains(deps, "kring/compress") {
		t.Errorf("go list -deps lists internal/expand, or not compress")
	}
}
