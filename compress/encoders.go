package compress

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// appender is an io.Writer that grows a slice.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// stream is an encoder of a library that only writes to an io.Writer.
type stream struct {
	w interface {
		io.WriteCloser
		Reset(to io.Writer)
	}
	out appender
}

func (e *stream) encode(dst, src []byte) ([]byte, error) {
	e.out = dst
	e.w.Reset(&e.out)
	if _, err := e.w.Write(src); err != nil {
		return dst, err
	}
	if err := e.w.Close(); err != nil {
		return dst, err
	}
	out := e.out
	e.out = nil
	return out, nil
}

// gzipDefault is what -1 asks for. Batches are filled as compressed, to three or
// four times the bytes that other Go clients compress at once: at this level they
// become as small as those do at the library's own default, 5, for less than
// two thirds of the time (docs/adr/0018).
const gzipDefault = 3

func newGzip(level int) (*stream, error) {
	if level == Gzip.JavaDefault() {
		level = gzipDefault
	}
	w, err := gzip.NewWriterLevel(nil, level)
	return &stream{w: w}, err
}

// snappy writes one raw block, without the frames of snappy-java: every
// consumer takes both, and the broker passes either on as it is.
type snappy struct{}

func (snappy) encode(dst, src []byte) ([]byte, error) {
	n := len(dst)
	room := s2.MaxEncodedLen(len(src))
	if cap(dst)-n < room {
		grown := make([]byte, n, n+room)
		copy(grown, dst)
		dst = grown
	}
	block := s2.EncodeSnappy(dst[n:n+room], src)
	return dst[:n+len(block)], nil
}

// lz4Level is one of the library's nine levels of high compression. Java's go on
// to 17 without compressing much more. With its default Java, too, uses the fast
// compressor.
func lz4Level(level int) lz4.CompressionLevel {
	if level == LZ4.JavaDefault() {
		return lz4.Fast
	}
	return lz4.CompressionLevel(1 << (8 + min(level, 9)))
}

func newLZ4(level int) (*stream, error) {
	w := lz4.NewWriter(nil)
	// As Java's: independent blocks of 64 KiB, no checksum of the content. The
	// batch has one of its own.
	err := w.Apply(
		lz4.BlockSizeOption(lz4.Block64Kb), lz4.ChecksumOption(false), lz4.ConcurrencyOption(1),
		lz4.CompressionLevelOption(lz4Level(level)),
	)
	return &stream{w: w}, err
}

type zstdEncoder struct{ e *zstd.Encoder }

// zstdLevel is which of the library's four encoders stands for a level of zstd.
// Its own table begins the second one at 3, Java's default; with batches as large
// as kring's the first one makes them as small as the second makes those of
// other Go clients, for four fifths of the time (docs/adr/0018).
func zstdLevel(level int) zstd.EncoderLevel {
	if level <= Zstd.JavaDefault() {
		return zstd.SpeedFastest
	}
	return zstd.EncoderLevelFromZstd(level)
}

func newZstd(level int) (*zstdEncoder, error) {
	// A batch is small, so a small window does, and costs less memory.
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstdLevel(level)), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10),
		zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	return &zstdEncoder{e}, nil
}

func (e *zstdEncoder) encode(dst, src []byte) ([]byte, error) {
	return e.e.EncodeAll(src, dst), nil
}
