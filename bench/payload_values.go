package bench

import (
	"encoding/binary"
	"fmt"
)

// fileValues are the values of a PayloadFile. They are read only, and are handed
// to clients as they are: without a stamp, so that a client sends what the user
// gave, and nothing else.
type fileValues struct {
	bytes  []byte
	spans  []span
	hashes []uint64 // by value
}

// span is where a value stands in bytes.
type span struct{ from, to uint32 }

// finish checks the values, and makes their hashes.
func (v *fileValues) finish(maxValues int) error {
	if len(v.spans) >= maxValues {
		return fmt.Errorf("has %s values or more, which are too many", formatCount(int64(maxValues)))
	}
	v.hashes = make([]uint64, len(v.spans))
	for i := range v.spans {
		if n := v.size(i); n > maxValueSize {
			return fmt.Errorf("its value %d has %s bytes, more than %s", i+1, formatCount(int64(n)), formatBytes(maxValueSize))
		}
		v.hashes[i] = hashValue(v.value(i))
	}
	return nil
}

func (v *fileValues) count() int     { return len(v.spans) }
func (v *fileValues) size(i int) int { return int(v.spans[i].to - v.spans[i].from) }

func (v *fileValues) value(i int) []byte {
	s := v.spans[i]
	return v.bytes[s.from:s.to:s.to]
}

// pick is which value a record has. It depends on nothing but the seed and the
// record, so whoever completes or verifies the record asks the same.
func (v *fileValues) pick(seed uint64, t tag) int {
	r := newRNG(seed^valueStream, uint64(t))
	return int(r.below(uint64(len(v.spans))))
}

// hash is that of the value which the record t has.
func (v *fileValues) hash(seed uint64, t tag) uint64 { return v.hashes[v.pick(seed, t)] }

const valueStream = 0x66696c65 // of random numbers

// sum names the values in plans and results.
func (v *fileValues) sum() string {
	h := uint64(len(v.hashes))
	for _, x := range v.hashes {
		h = mix64(h) ^ x
	}
	return fmt.Sprintf("%016x", mix64(h))
}

// largest is the place and the size of the largest value.
func (v *fileValues) largest() (at, size int) {
	for i := range v.spans {
		if n := v.size(i); n > size {
			at, size = i, n
		}
	}
	return at, size
}

// hashValue tells values apart: it is quick and no secret, and guards against
// accidents, not against forgery.
func hashValue(value []byte) uint64 {
	h := mix64(uint64(len(value)) + valueStream)
	for len(value) >= 8 {
		h = mix64(h^binary.LittleEndian.Uint64(value)) + 0x9e3779b97f4a7c15
		value = value[8:]
	}
	var rest [8]byte
	copy(rest[:], value)
	return mix64(h ^ binary.LittleEndian.Uint64(rest[:]))
}

// maxRequestSize is Java's default of max.request.size.
const maxRequestSize = 1 << 20

// checkPayloadFile refuses plans whose values nobody could send or know again.
func (c *Config) checkPayloadFile(want func(ok bool, format string, args ...any)) {
	f := c.PayloadFile
	if c.Payload != PayloadOfFile {
		want(f == nil, "--payload %s contradicts --payload-file", c.payload())
		return
	}
	if f == nil {
		want(false, "--payload %s needs a --payload-file", PayloadOfFile)
		return
	}
	want(c.Compressibility == 0, "--compressibility contradicts --payload-file: its values are as they are")
	want(!c.E2E, "--e2e knows records by their stamps, and values of --payload-file have none")
	want(!c.Shard.on() || c.several() || c.Verify != VerifyFull,
		"--verify full of a shard knows its own records by their stamps, and values of --payload-file have none: use --verify none")
	limit, ok := c.Settings.largestRequest()
	if f.loaded == nil || !ok {
		return
	}
	at, size := f.loaded.largest()
	want(int64(size) <= limit, "--payload-file: value %d has %s bytes, more than max.request.size, %s: raise it with -X max.request.size=N",
		at+1, formatCount(int64(size)), formatCount(limit))
}

// payload is the kind, by its name; a file has that of its values, too, so that
// runs with other values are not taken for the same.
func (c *Config) payload() string {
	switch c.Payload {
	case "":
		return PayloadRandom
	case PayloadOfFile:
		if c.PayloadFile != nil {
			return PayloadOfFile + ":" + c.PayloadFile.Sum
		}
	}
	return c.Payload
}
