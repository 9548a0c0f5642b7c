package kring

import (
	"runtime"

	"github.com/kring-go/kring/compress"
)

// Codec is how batches are compressed.
type Codec = compress.Codec

// The codecs of Kafka.
const (
	NoCompression = compress.None
	Gzip          = compress.Gzip
	Snappy        = compress.Snappy
	LZ4           = compress.LZ4
	Zstd          = compress.Zstd
)

// Compression has batches compressed with codec. The default is NoCompression.
//
// A batch is compressed when it is sealed, by the goroutine whose record filled
// it, or, if its linger ended or Flush sealed it, on one of GOMAXPROCS
// goroutines that do nothing else; never while a connection is served. Batches
// take as many records as are expected to fill BatchSize when compressed (at
// most four times BatchSize), from the ratio of the topic's batches before.
// Records that do not become smaller are sent as they are, and a topic whose
// batches do not is left alone for a while.
//
// BufferMemory counts records as they were handed over; what they become takes
// further memory, about as much times the ratio. Zstd needs brokers from 2.1 on.
// Java: compression.type.
func Compression(codec Codec) Option {
	return liveOption(func(c *config) {
		c.codec = codec
		c.give(setCompression, "Compression(%v)", codec)
	})
}

// CompressionLevel is the level at which codec compresses, if it is the one that
// is used: 1 to 9 for Gzip (-1, the default, is 3 here, as batches are large), 1
// to 17 for LZ4 (9, the default, is the fast one), -131072 to 22 for Zstd, of which
// four are told apart: up to 3 (the default), to 5, to 9, and above. docs/adr/0018 has
// what they cost. Java: compression.gzip.level, compression.lz4.level,
// compression.zstd.level.
func CompressionLevel(codec Codec, level int) Option {
	return liveOption(func(c *config) {
		c.setLevel(codec, level)
		if s, ok := levelSetting(codec); ok {
			c.give(s, "CompressionLevel(%v, %d)", codec, level)
		} else {
			c.problem("CompressionLevel(%v, %d): want Gzip, LZ4 or Zstd", codec, level)
		}
	})
}

// levels is the level of each codec, by its number.
type levels [compress.Zstd + 1]int

func defaultLevels() (l levels) {
	for i := range l {
		l[i] = Codec(i).JavaDefault()
	}
	return l
}

func (c *config) setLevel(codec Codec, level int) {
	if codec >= 0 && int(codec) < len(c.levels) {
		c.levels[codec] = level
	}
}

// levelSetting is the setting that holds the level of a codec.
func levelSetting(codec Codec) (setting, bool) {
	switch codec {
	case Gzip:
		return setGzipLevel, true
	case LZ4:
		return setLZ4Level, true
	case Zstd:
		return setZstdLevel, true
	}
	return 0, false
}

func (c *config) checkCompression() {
	if c.codec < NoCompression || c.codec > Zstd {
		c.wrong(setCompression, "there is no such codec; want NoCompression, Gzip, Snappy, LZ4 or Zstd")
	}
	for _, codec := range []Codec{Gzip, LZ4, Zstd} {
		if err := codec.CheckLevel(c.levels[codec]); err != nil {
			s, _ := levelSetting(codec)
			lowest, highest, _ := codec.Levels()
			c.wrong(s, "the level of %v must be %d to %d", codec, lowest, highest)
		}
	}
}

// compressionProperties are compression.type and the levels.
func compressionProperties() []property {
	all := []property{{setCompression.String(), func(c *config, p property, value string) {
		codec, err := compress.Parse(value)
		if err != nil {
			p.malformed(c, value, "none, gzip, snappy, lz4 or zstd")
			return
		}
		c.codec = codec
		c.give(setCompression, "%s=%s", p.name, value)
	}}}
	for _, codec := range []Codec{Gzip, LZ4, Zstd} {
		s, _ := levelSetting(codec)
		all = append(all, numberProperty(s, "", func(c *config) *int { return &c.levels[codec] }))
	}
	return all
}

// startPackers starts the goroutines that compress what no caller completed,
// once. It is for New, and for the holder of live.mu.
func (p *Producer) startPackers() {
	if p.live.packed {
		return
	}
	p.live.packed = true
	for range runtime.GOMAXPROCS(0) {
		p.workers.tryRun(p.as("compression", p.acc.Pack))
	}
}

func (p *Producer) compressFailed(err error) {
	p.log.Error("kring: a batch can not be compressed and is sent as it is", "error", err)
}
