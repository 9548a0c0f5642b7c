package compress

import (
	"fmt"
	"runtime"
)

// encoder compresses one source after the other.
type encoder interface {
	// encode appends src, compressed, to dst.
	encode(dst, src []byte) ([]byte, error)
}

// Compressor compresses with one codec and level.
type Compressor struct {
	codec Codec
	idle  chan encoder // encoders that nobody uses at the moment
	make  func() (encoder, error)
}

// New returns a compressor. level is in the codec's own words, or DefaultLevel.
// It fails if the level is not one of the codec's, and for None.
func New(c Codec, level int) (*Compressor, error) {
	if err := c.CheckLevel(level); err != nil {
		return nil, err
	}
	if level == DefaultLevel {
		level = c.JavaDefault()
	}
	z := &Compressor{codec: c, idle: make(chan encoder, runtime.GOMAXPROCS(0))}
	switch c {
	case Gzip:
		z.make = func() (encoder, error) { return newGzip(level) }
	case Snappy:
		z.make = func() (encoder, error) { return snappy{}, nil }
	case LZ4:
		z.make = func() (encoder, error) { return newLZ4(level) }
	case Zstd:
		z.make = func() (encoder, error) { return newZstd(level) }
	default:
		return nil, fmt.Errorf("compress: %v does not compress", c)
	}
	e, err := z.make() // what is wrong with it shows here and not in Append
	if err != nil {
		return nil, fmt.Errorf("compress: %v at level %d: %w", c, level, err)
	}
	z.idle <- e
	return z, nil
}

// Codec is what the compressor was made with.
func (z *Compressor) Codec() Codec { return z.codec }

// Append appends src, compressed, to dst. In steady state it allocates only
// what dst has to grow by. After an error dst's length is what it was.
func (z *Compressor) Append(dst, src []byte) ([]byte, error) {
	e, err := z.borrow()
	if err != nil {
		return dst, fmt.Errorf("compress: %v: %w", z.codec, err)
	}
	out, err := e.encode(dst, src)
	if err != nil {
		return dst, fmt.Errorf("compress: %v: %w", z.codec, err) // e may be broken: it is dropped
	}
	select {
	case z.idle <- e:
	default: // more callers than processors; enough are idle
	}
	return out, nil
}

func (z *Compressor) borrow() (encoder, error) {
	select {
	case e := <-z.idle:
		return e, nil
	default:
		return z.make()
	}
}
