package compress

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

func codecs() []Codec { return []Codec{Gzip, Snappy, LZ4, Zstd} }

// expand is the other end.
func expand(t *testing.T, c Codec, p []byte) []byte {
	t.Helper()
	var out []byte
	var err error
	switch c {
	case Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(p)); err == nil {
			out, err = io.ReadAll(r)
		}
	case Snappy:
		out, err = s2.Decode(nil, p)
	case LZ4:
		out, err = io.ReadAll(lz4.NewReader(bytes.NewReader(p)))
	case Zstd:
		var r *zstd.Decoder
		if r, err = zstd.NewReader(bytes.NewReader(p)); err == nil {
			defer r.Close()
			out, err = io.ReadAll(r)
		}
	}
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	return out
}

// jsonLike makes n bytes of records as services write them.
func jsonLike(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"user":"user-%d","event":"page_view","path":"/products/%d","ms":%d,"ok":true}`,
			rnd.Uint64(), rnd.IntN(10000), rnd.IntN(500), rnd.IntN(1000))
	}
	return b.Bytes()[:n]
}

func noise(n int) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func TestRoundTrip(t *testing.T) {
	for _, c := range codecs() {
		levels := []int{DefaultLevel}
		if lowest, highest, ok := c.Levels(); ok {
			levels = append(levels, lowest, highest, 3)
		}
		for _, level := range levels {
			z, err := New(c, level)
			if err != nil {
				t.Fatal(err)
			}
			for _, src := range [][]byte{nil, {}, {1}, []byte("hello"), jsonLike(1000), jsonLike(200_000), noise(64 << 10), append(noise(100_000), jsonLike(100_000)...), make([]byte, 1<<20)} {
				prefix := []byte("header")
				out, err := z.Append(prefix, src)
				if err != nil {
					t.Fatalf("%v at %d: %v", c, level, err)
				}
				if !bytes.HasPrefix(out, prefix) {
					t.Fatalf("%v at %d: what was in dst is gone", c, level)
				}
				if got := expand(t, c, out[len(prefix):]); !bytes.Equal(got, src) {
					t.Errorf("%v at %d: %d bytes came back as %d others", c, level, len(src), len(got))
				}
			}
		}
	}
}

// TestManyAtOnce: encoders are not shared while they are used.
func TestManyAtOnce(t *testing.T) {
	for _, c := range codecs() {
		z, err := New(c, DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				src := append(jsonLike(20_000+g), byte(g))
				var out []byte
				for range 20 {
					var err error
					if out, err = z.Append(out[:0], src); err != nil {
						t.Error(err)
						return
					}
					if !bytes.Equal(expand(t, c, out), src) {
						t.Errorf("%v: goroutine %d got something else back", c, g)
						return
					}
				}
			})
		}
		wg.Wait()
		if len(z.idle) > cap(z.idle) || len(z.idle) == 0 {
			t.Errorf("%v: %d encoders are idle", c, len(z.idle))
		}
	}
}

func TestItCompresses(t *testing.T) {
	src := jsonLike(64 << 10)
	for _, c := range codecs() {
		z, err := New(c, DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		out, err := z.Append(nil, src)
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > len(src)*6/10 {
			t.Errorf("%v: %d bytes became %d", c, len(src), len(out))
		}
	}
}

func TestBadLevels(t *testing.T) {
	for _, tc := range []struct {
		c     Codec
		level int
		want  string
	}{
		{Gzip, 0, "want 1 to 9"},
		{Gzip, 10, "want 1 to 9"},
		{LZ4, 0, "want 1 to 17"},
		{LZ4, 18, "want 1 to 17"},
		{Zstd, 23, "want -131072 to 22"},
		{Snappy, 1, "has no levels"},
		{None, DefaultLevel, "does not compress"},
		{Codec(7), DefaultLevel, "does not compress"},
	} {
		if _, err := New(tc.c, tc.level); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("New(%v, %d): got %v, want an error with %q", tc.c, tc.level, err, tc.want)
		}
	}
	if _, err := New(Gzip, -1); err != nil {
		t.Errorf("New(gzip, -1): %v", err)
	}
}

func TestNames(t *testing.T) {
	for c := None; c <= Zstd; c++ {
		if got, err := Parse(c.String()); err != nil || got != c {
			t.Errorf("Parse(%q) = %v, %v", c, got, err)
		}
	}
	if _, err := Parse("brotli"); err == nil || !strings.Contains(err.Error(), "none gzip snappy lz4 zstd") {
		t.Errorf("Parse: %v", err)
	}
	if s := Codec(9).String(); s != "Codec(9)" {
		t.Errorf("got %q", s)
	}
}

// TestDefaultLevels: at the default levels, a batch of the size that kring
// compresses at once is about as small as the batches of 16 KiB of other clients
// at theirs (docs/adr/0018).
func TestDefaultLevels(t *testing.T) {
	src := jsonLike(48 << 10)
	size := func(c Codec, level int, src []byte) int {
		z, err := New(c, level)
		if err != nil {
			t.Fatal(err)
		}
		out, err := z.Append(nil, src)
		if err != nil {
			t.Fatal(err)
		}
		return len(out)
	}
	for _, tc := range []struct {
		c         Codec
		elsewhere int // level
	}{{Gzip, 5}, {Zstd, 4}} {
		own, others := size(tc.c, DefaultLevel, src), 0
		for at := 0; at < len(src); at += 16 << 10 {
			others += size(tc.c, tc.elsewhere, src[at:at+16<<10])
		}
		if own > others*105/100 {
			t.Errorf("%v: %d bytes at the default level, %d in batches of 16 KiB at level %d", tc.c, own, others, tc.elsewhere)
		}
		if n := size(tc.c, tc.c.JavaDefault(), src); n != own {
			t.Errorf("%v: %d bytes at Java's default, %d without a level", tc.c, n, own)
		}
	}
}

// BenchmarkAppend has the default level beside that of other Go clients, on what
// kring and what they compress at once.
func BenchmarkAppend(b *testing.B) {
	src := jsonLike(48 << 10)
	for _, tc := range []struct {
		c     Codec
		level int
	}{{Gzip, DefaultLevel}, {Gzip, 2}, {Gzip, 5}, {Snappy, DefaultLevel}, {LZ4, DefaultLevel}, {Zstd, DefaultLevel}, {Zstd, 4}} {
		z, err := New(tc.c, tc.level)
		if err != nil {
			b.Fatal(err)
		}
		name := "default"
		if tc.level != DefaultLevel {
			name = strconv.Itoa(tc.level)
		}
		for _, size := range []int{16 << 10, 48 << 10} {
			b.Run(fmt.Sprintf("codec=%v/level=%s/bytes=%d", tc.c, name, size), func(b *testing.B) {
				dst := make([]byte, 0, 128<<10)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				var out []byte
				for b.Loop() {
					out, _ = z.Append(dst, src[:size])
				}
				b.ReportMetric(float64(len(out))/float64(size), "ratio")
			})
		}
	}
}
