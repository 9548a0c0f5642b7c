package wire

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// sample is one record as the tests describe it, with its place in a batch.
type sample struct {
	name           string
	offsetDelta    int32
	timestampDelta int64
	key, value     []byte
	headers        []Header
}

// kmsgBytes encodes the record with franz-go's generated code.
func (s *sample) kmsgBytes() []byte {
	r := kmsg.Record{
		TimestampDelta64: s.timestampDelta, OffsetDelta: s.offsetDelta,
		Key: s.key, Value: s.value,
	}
	for _, h := range s.headers {
		r.Headers = append(r.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
	}
	// kmsg writes the length it is told. That of zero takes one byte.
	r.Length = int32(len(r.AppendTo(nil)) - 1)
	return r.AppendTo(nil)
}

// put encodes the record with this package, between guard bytes.
func (s *sample) put(t testing.TB) []byte {
	t.Helper()
	payload := PayloadSize(s.key, s.value, s.headers)
	body, total := RecordSize(payload, s.offsetDelta, s.timestampDelta)
	if over := total - payload; over > MaxRecordOverhead {
		t.Fatalf("%d bytes beyond the payload, want at most %d", over, MaxRecordOverhead)
	}
	const guard = 16
	buf := make([]byte, guard+total+guard)
	for i := range buf {
		buf[i] = 0xa5
	}
	n := PutRecord(buf[guard:], body, s.offsetDelta, s.timestampDelta, s.key, s.value, s.headers)
	if n != total {
		t.Fatalf("PutRecord = %d, want the total %d of RecordSize", n, total)
	}
	for i, b := range buf {
		if (i < guard || i >= guard+total) && b != 0xa5 {
			t.Fatalf("byte %d of a record of %d bytes has been written", i-guard, total)
		}
	}
	// A buffer of exactly that size must do: a store may not need more room.
	exact := make([]byte, total)
	PutRecord(exact, body, s.offsetDelta, s.timestampDelta, s.key, s.value, s.headers)
	if string(exact) != string(buf[guard:guard+total]) {
		t.Fatal("the bytes depend on the room behind them")
	}
	return exact
}

// fill returns n bytes that differ from their neighbours, and from n+1 bytes.
func fill(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i*7 + n)
	}
	return p
}

// samples are records at the edges: of nil and empty, of every varint length,
// of the signs and sizes of the deltas.
func samples() []sample {
	all := []sample{
		{name: "all null"},
		{name: "null key, empty value", value: []byte{}},
		{name: "empty key, null value", key: []byte{}},
		{name: "all empty", key: []byte{}, value: []byte{}, headers: []Header{}},
		{name: "one byte value", value: []byte{1}},
		{name: "one byte key", key: []byte{1}},
		{name: "key only", key: []byte("key")},
		{name: "key and value", key: []byte("key"), value: []byte("value")},
		{name: "null header value", headers: []Header{{Key: "k"}}},
		{name: "empty header value", headers: []Header{{Key: "k", Value: []byte{}}}},
		{name: "empty header key", headers: []Header{{Value: []byte("v")}}},
		{name: "same header twice", headers: []Header{{Key: "k", Value: []byte("1")}, {Key: "k", Value: []byte("2")}}},
		{name: "10000 headers", value: fill(100), headers: make([]Header, 10000)},
		{name: "negative offset delta", offsetDelta: -1, value: fill(10)},
	}
	for _, n := range []int{62, 63, 64, 65, 8190, 8191, 8192, 8193, 1 << 20, 1<<20 - 1, 1<<20 + 1} {
		all = append(
			all,
			sample{name: fmt.Sprintf("value of %d", n), value: fill(n)},
			sample{name: fmt.Sprintf("key of %d", n), key: fill(n)},
			sample{name: fmt.Sprintf("header of %d", n), headers: []Header{
				{Key: strings.Repeat("h", n), Value: fill(n)},
			}},
		)
	}
	for _, n := range []int{63, 64, 8191, 8192} {
		all = append(all, sample{name: fmt.Sprintf("%d headers", n), headers: make([]Header, n)})
	}
	// Every body size around the places where the length grows.
	for _, edge := range []int{0, 50, 8170} {
		for n := edge; n < edge+30; n++ {
			all = append(all, sample{name: fmt.Sprintf("value of %d with a key", n), key: []byte("k"), value: fill(n)})
		}
	}
	for _, d := range []int64{
		1, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 1 << 20, -1 << 20,
		math.MaxInt32, math.MinInt32, 1 << 40, -1 << 55, math.MaxInt64, math.MinInt64,
	} {
		all = append(all, sample{name: fmt.Sprintf("timestamp delta %d", d), timestampDelta: d, value: fill(20)})
		if d == int64(int32(d)) {
			all = append(all, sample{name: fmt.Sprintf("offset delta %d", d), offsetDelta: int32(d), value: fill(20)})
		}
	}
	return all
}

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 draws one")

// newRand returns a source of randomness, and says how to get the same again.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("run again with -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
