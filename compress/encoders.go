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

func newGzip(level int) (*stream, error) {
	w, err := gzip.NewWriterLevel(nil, level) // -1 is the default there too
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

func newZstd(level int) (*zstdEncoder, error) {
	// A batch is small, so a small window does, and costs less memory.
	e, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10),
		zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	return &zstdEncoder{e}, nil
}

func (e *zstdEncoder) encode(dst, src []byte) ([]byte, error) {
	return e.e.EncodeAll(src, dst), nil
}
