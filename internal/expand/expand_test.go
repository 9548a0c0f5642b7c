package expand

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/kring-go/kring/compress"
)

func TestExpand(t *testing.T) {
	src := bytes.Repeat([]byte("what comes back is what went in. "), 5000)
	for c := compress.Gzip; c <= compress.Zstd; c++ {
		z, err := compress.New(c, compress.DefaultLevel)
		if err != nil {
			t.Fatal(err)
		}
		out, err := z.Append(nil, src)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Expand(int8(c), out)
		if err != nil || !bytes.Equal(got, src) {
			t.Errorf("%v: %d bytes came back as %d: %v", c, len(src), len(got), err)
		}
		if _, err := Expand(int8(c), out[:len(out)/2]); err == nil {
			t.Errorf("%v: half of it was taken for whole", c)
		}
		if _, err := Expand(int8(c), []byte("\xffrubbish")); err == nil {
			t.Errorf("%v: rubbish was read", c)
		}
	}
	if _, err := Expand(5, src); err == nil {
		t.Error("codec 5 was read")
	}
}

func TestFramesOfSnappyJava(t *testing.T) {
	framed := append([]byte("\x82SNAPPY\x00"), 0, 0, 0, 1, 0, 0, 0, 1)
	for _, part := range []string{"one, ", "two"} {
		block := s2.EncodeSnappy(nil, []byte(part))
		framed = binary.BigEndian.AppendUint32(framed, uint32(len(block)))
		framed = append(framed, block...)
	}
	got, err := Expand(codecSnappy, framed)
	if err != nil || string(got) != "one, two" {
		t.Errorf("got %q, %v", got, err)
	}
	for n := range framed {
		if n < 17 {
			continue
		}
		if got, err := Expand(codecSnappy, framed[:n]); err == nil && len(got) > len("one, ") {
			t.Errorf("%d bytes of %d: got %q", n, len(framed), got)
		}
	}
	// A block that claims to become a gigabyte.
	if _, err := Expand(codecSnappy, binary.AppendUvarint(nil, 1<<30)); err == nil {
		t.Error("a gigabyte was believed")
	}
}
