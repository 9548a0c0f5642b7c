package expand

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Limit is what a batch may become: a small one can claim to be enormous.
const Limit = 256 << 20

// The codecs, by their number in a batch's attributes.
const (
	codecGzip = 1 + iota
	codecSnappy
	codecLZ4
	codecZstd
)

// Expand returns what src was before it was compressed. It fails for a codec
// that Kafka does not know, for bytes that are not the codec's, and beyond Limit.
func Expand(codec int8, src []byte) ([]byte, error) {
	out, err := expand(codec, src)
	if err != nil {
		return nil, fmt.Errorf("expand: codec %d: %w", codec, err)
	}
	return out, nil
}

func expand(codec int8, src []byte) ([]byte, error) {
	switch codec {
	case codecGzip:
		r, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return nil, err
		}
		return read(r)
	case codecSnappy:
		return snappy(src)
	case codecLZ4:
		return read(lz4.NewReader(bytes.NewReader(src)))
	case codecZstd:
		r, err := zstd.NewReader(bytes.NewReader(src), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(Limit))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return read(r)
	}
	return nil, fmt.Errorf("not one of Kafka's")
}

func read(r io.Reader) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, Limit+1))
	if err == nil && len(out) > Limit {
		err = fmt.Errorf("more than %d bytes", Limit)
	}
	return out, err
}

// snappy reads one raw block, or the frames of snappy-java, which Java's
// producer writes: a header of 16 bytes, then blocks with their lengths.
func snappy(src []byte) ([]byte, error) {
	const magic, header = "\x82SNAPPY\x00", 16
	if len(src) < header || string(src[:len(magic)]) != magic {
		return block(nil, src)
	}
	var out []byte
	for rest := src[header:]; len(rest) > 0; {
		if len(rest) < 4 {
			return nil, io.ErrUnexpectedEOF
		}
		n := binary.BigEndian.Uint32(rest)
		rest = rest[4:]
		if uint64(n) > uint64(len(rest)) {
			return nil, io.ErrUnexpectedEOF
		}
		var err error
		if out, err = block(out, rest[:n]); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return out, nil
}

// block appends what src was.
func block(dst, src []byte) ([]byte, error) {
	n, err := s2.DecodedLen(src)
	if err != nil {
		return nil, err
	}
	if n > Limit-len(dst) {
		return nil, fmt.Errorf("more than %d bytes", Limit)
	}
	plain, err := s2.Decode(nil, src)
	if err != nil {
		return nil, err
	}
	return append(dst, plain...), nil
}
