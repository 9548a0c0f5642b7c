package compress

import (
	"fmt"
	"strings"
)

// Codec is a way to compress. Its number is the one in the attributes of a
// record batch.
type Codec int8

// The codecs that Kafka knows.
const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

// DefaultLevel asks for Java's default: JavaDefault.
const DefaultLevel = -1 << 31

// JavaDefault is the number that Java has for the default level of a codec with
// levels. For gzip that is -1, which leaves the choice to the library.
func (c Codec) JavaDefault() int {
	switch c {
	case Gzip:
		return -1
	case LZ4:
		return 9
	case Zstd:
		return 3
	}
	return DefaultLevel
}

// codecNames are Java's words for compression.type, by number.
const codecNames = "none gzip snappy lz4 zstd"

// String returns Java's word for the codec, as in compression.type.
func (c Codec) String() string {
	if names := strings.Fields(codecNames); c >= 0 && int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("Codec(%d)", int8(c))
}

// Parse returns the codec of one of Java's words.
func Parse(word string) (Codec, error) {
	for i, name := range strings.Fields(codecNames) {
		if word == name {
			return Codec(i), nil
		}
	}
	return None, fmt.Errorf("compress: got the type %q, want one of %s", word, codecNames)
}

// Levels returns the range of levels that a codec takes, as in Java's
// compression.gzip.level, compression.lz4.level and compression.zstd.level. ok
// is false for a codec without levels.
func (c Codec) Levels() (lowest, highest int, ok bool) {
	switch c {
	case Gzip:
		return 1, 9, true
	case LZ4:
		return 1, 17, true
	case Zstd:
		return -(1 << 17), 22, true
	}
	return 0, 0, false
}

// CheckLevel says whether New takes the level for c.
func (c Codec) CheckLevel(level int) error {
	lowest, highest, ok := c.Levels()
	switch {
	case level == DefaultLevel:
		return nil
	case !ok:
		return fmt.Errorf("compress: got level %d for %v, which has no levels", level, c)
	case c == Gzip && level == -1: // Java's word for the default
		return nil
	case level < lowest || level > highest:
		return fmt.Errorf("compress: got level %d for %v, want %d to %d", level, c, lowest, highest)
	}
	return nil
}
