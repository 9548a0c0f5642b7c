package bench

import (
	"bytes"
	"math"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// textBatch is what stands in a batch of 16 KiB: records of 1 KB, every twelfth
// of a sender.
func textBatch(p *pool) []byte {
	var out []byte
	for i := range 16 {
		out = append(out, p.bodies[i*12%len(p.bodies)]...)
	}
	return out
}

func TestTextCompressesToAboutAThird(t *testing.T) {
	plain := textBatch(newTextPool(1, FixedSize(1000)))
	var zipped, framed bytes.Buffer
	z := gzip.NewWriter(&zipped)
	l := lz4.NewWriter(&framed)
	for _, w := range []interface {
		Write([]byte) (int, error)
		Close() error
	}{z, l} {
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	e, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]int{
		"gzip": zipped.Len(), "lz4": framed.Len(), "zstd": len(e.EncodeAll(plain, nil)), "snappy": len(s2.EncodeSnappy(nil, plain)),
	} {
		ratio := float64(got) / float64(len(plain))
		t.Logf("%s: %.3f", name, ratio)
		if ratio < 0.25 || ratio > 0.48 {
			t.Errorf("%s makes %.2f of it, want about a third", name, ratio)
		}
	}
}

func TestTextIsReproducible(t *testing.T) {
	a, b := newTextPool(5, FixedSize(300)), newTextPool(5, FixedSize(300))
	if len(a.bodies) != textBodies || !bytes.Equal(a.bodies[9], b.bodies[9]) || len(a.bodies[9]) != 300 {
		t.Fatalf("%d bodies, equal %v", len(a.bodies), bytes.Equal(a.bodies[9], b.bodies[9]))
	}
	if bytes.Equal(a.bodies[0], newTextPool(6, FixedSize(300)).bodies[0]) || bytes.Equal(a.bodies[0], a.bodies[1]) {
		t.Error("another seed, or the next body, is the same")
	}
	if got := a.ratio(); math.Abs(got-0.6) > 0.1 {
		t.Errorf("%.2f of the text is fixed, want about 0.6", got)
	}
	if n := len(newTextPool(1, FixedSize(8<<20)).bodies); n != 2 {
		t.Errorf("%d bodies of 8 MiB, want 2", n)
	}
}
