package kring

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/compress"
)

// Compressor compresses the records of a batch: a C library, say, or an
// accelerator. It is called by several goroutines at once, some of which are in
// Produce, so it should not wait for anything.
type Compressor interface {
	// Append appends src, compressed, to dst and returns the result, as append
	// does. It keeps neither.
	Append(dst, src []byte) ([]byte, error)
}

// CompressWith has by do the work of codec, wherever Compression or
// TopicCompression ask for that, and CompressionLevel says nothing any more. The
// result must be what Kafka's brokers and consumers read as codec: a gzip file, a
// zstd frame, an LZ4 frame, and of Snappy the framing of snappy-java or a single
// block. kring can not know whether it is: a broker only finds out for topics
// whose records it has to look into, and refuses the batch (CorruptMessage).
//
// What by returns as an error, a panic and a result without dst in front are
// logged, and the batch is sent as it is. nil is kring's own compressor, the
// default. franz-go: WithCompressor. Java has none.
func CompressWith(codec Codec, by Compressor) Option {
	return option(func(c *config) {
		if codec <= NoCompression || codec > Zstd {
			c.problem("CompressWith(%v): want Gzip, Snappy, LZ4 or Zstd", codec)
			return
		}
		c.compressors[codec] = by
	})
}

// compressors are those of CompressWith, by codec; nil is kring's own.
type compressors [compress.Zstd + 1]Compressor

// compressor is what accum compresses with; nil if batches are sent as they are.
func (c *config) compressor() (accum.Compressor, error) { return c.compressorOf(c.codec) }

// compressorOf is nil for NoCompression.
func (c *config) compressorOf(codec Codec) (accum.Compressor, error) {
	if codec == NoCompression {
		return nil, nil
	}
	if by := c.compressors[codec]; by != nil {
		return guarded{codec, by}, nil
	}
	z, err := compress.New(codec, c.levels[codec])
	if err != nil {
		return nil, fmt.Errorf("kring: compression: %w", err)
	}
	return z, nil
}

// guarded keeps what a Compressor does wrong from harming anything but the
// compression of one batch.
type guarded struct {
	codec Codec
	by    Compressor
}

// Append is the Compressor's, with its result looked at.
func (g guarded) Append(dst, src []byte) (out []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			out, err = dst, fmt.Errorf("the Compressor %T of CompressWith(%v) panicked: %v", g.by, g.codec, v)
		}
	}()
	out, err = g.by.Append(dst, src)
	if err == nil && (len(out) <= len(dst) || !bytes.Equal(out[:len(dst)], dst)) {
		err = errNotAppended
	}
	if err != nil {
		return dst, fmt.Errorf("the Compressor %T of CompressWith(%v): %w", g.by, g.codec, err)
	}
	return out, nil
}

var errNotAppended = errors.New("it did not append to dst")
