package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"
	"unsafe"
)

// P9: whatever a broker sends, decoding it allocates at most
// allocFactor × length + allocBase bytes.
const (
	allocFactor = 32
	allocBase   = 4096
)

// builder builds a response that no honest encoder would.
type builder struct {
	flexible bool
	p        []byte
}

func (b *builder) i16(x int16) *builder {
	b.p = binary.BigEndian.AppendUint16(b.p, uint16(x))
	return b
}

func (b *builder) i32(x int32) *builder {
	b.p = binary.BigEndian.AppendUint32(b.p, uint32(x))
	return b
}

func (b *builder) raw(p string) *builder {
	b.p = append(b.p, p...)
	return b
}

// count writes the length of an array; in the flexible format one more.
func (b *builder) count(n int64) *builder {
	if b.flexible {
		b.p = appendUvarint(b.p, uint32(n+1))
		return b
	}
	return b.i32(int32(n))
}

// str writes a string whose length says n, whatever follows.
func (b *builder) str(n int, s string) *builder {
	if b.flexible {
		b.p = appendUvarint(b.p, uint32(n+1))
	} else {
		b.i16(int16(n))
	}
	return b.raw(s)
}

// topic writes the name or the id of a topic.
func (b *builder) topic(version int16) *builder {
	if version >= 13 {
		return b.raw("0123456789abcdef")
	}
	return b.str(1, "t")
}

// fixed writes the fields of a partition that have a fixed size.
func (b *builder) fixed(version int16) *builder {
	b.i32(0).i16(0).raw("offset--time----")
	if version >= 5 {
		b.raw("start---")
	}
	return b
}

// partition writes a whole partition without errors.
func (b *builder) partition(version int16) *builder {
	b.fixed(version)
	if version >= 8 {
		b.count(0).str(-1, "")
	}
	return b.tags("")
}

// tags writes tagged fields, if the format has any.
func (b *builder) tags(p string) *builder {
	if !b.flexible {
		return b
	}
	if p == "" {
		p = "\x00"
	}
	return b.raw(p)
}

func TestProduceResponseHostile(t *testing.T) {
	const maxUvarint = "\xff\xff\xff\xff\x0f"
	table := []struct {
		name  string
		since int16
		build func(b *builder, version int16)
	}{
		{"empty", 3, func(*builder, int16) {}},
		{"topics -1", 3, func(b *builder, _ int16) { b.count(-1).i32(0).tags("") }},
		{"topics 2^31-1", 3, func(b *builder, _ int16) { b.count(math.MaxInt32).i32(0).tags("") }},
		{"topics -2^31", 3, func(b *builder, _ int16) { b.count(math.MinInt32).i32(0).tags("") }},
		{"partitions -1", 3, func(b *builder, v int16) { b.count(1).topic(v).count(-1).tags("").i32(0).tags("") }},
		{"partitions -2", 3, func(b *builder, v int16) { b.count(1).topic(v).count(-2).tags("").i32(0).tags("") }},
		{"partitions 2^31-1", 3, func(b *builder, v int16) { b.count(1).topic(v).count(math.MaxInt32).partition(v) }},
		{"one partition too few", 3, func(b *builder, v int16) {
			b.count(1).topic(v).count(2).partition(v).tags("").i32(0).tags("")
		}},
		{"array count of six bytes", 9, func(b *builder, _ int16) { b.raw("\x81\x80\x80\x80\x80\x00").i32(0).tags("") }},
		{"array count 2^32-1", 9, func(b *builder, _ int16) { b.raw(maxUvarint).i32(0).tags("") }},
		{"record errors -1", 8, func(b *builder, v int16) {
			b.count(1).topic(v).count(1).fixed(v).count(-1).str(-1, "").tags("").tags("").i32(0).tags("")
		}},
		{"record errors 2^31-1", 8, func(b *builder, v int16) { b.count(1).topic(v).count(1).fixed(v).count(math.MaxInt32) }},
		{"error message -2", 8, func(b *builder, v int16) {
			b.count(1).topic(v).count(1).fixed(v).count(0).str(-2, "").tags("").tags("").i32(0).tags("")
		}},
		{"error message beyond the end", 8, func(b *builder, v int16) {
			b.count(1).topic(v).count(1).fixed(v).count(0).str(30000, "").tags("").tags("").i32(0).tags("")
		}},
		{"2^32-1 tags", 9, func(b *builder, _ int16) { b.count(0).i32(0).tags(maxUvarint) }},
		{"tag twice", 9, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x02\x05\x00\x05\x00") }},
		{"tags descending", 9, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x02\x05\x00\x04\x00") }},
		{"tag of 2^32-1 bytes", 9, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x01\x05" + maxUvarint) }},
		{"nodes twice", 10, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x02\x00\x01\x01\x00\x01\x01") }},
		{"nodes 2^32-1", 10, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x01\x00\x05" + maxUvarint) }},
		{"nodes null", 10, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x01\x00\x01\x00") }},
		{"nodes with a rest", 10, func(b *builder, _ int16) { b.count(0).i32(0).tags("\x01\x00\x02\x01\x00") }},
		{"node with a null host", 10, func(b *builder, _ int16) {
			b.count(0).i32(0).tags("\x01\x00\x0c\x02\x00\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00")
		}},
		{"leader of seven bytes", 10, func(b *builder, v int16) {
			b.count(1).topic(v).count(1).fixed(v).count(0).str(-1, "").tags("\x01\x00\x07leader-").tags("").i32(0).tags("")
		}},
		{"leader with a rest", 10, func(b *builder, v int16) {
			b.count(1).topic(v).count(1).fixed(v).count(0).str(-1, "").tags("\x01\x00\x0aleader--\x00!").tags("").i32(0).tags("")
		}},
	}
	for _, tc := range table {
		for version := max(MinProduceVersion, tc.since); version <= MaxProduceVersion; version++ {
			t.Run(fmt.Sprintf("%s/v%d", tc.name, version), func(t *testing.T) {
				b := builder{flexible: Flexible(version)}
				tc.build(&b, version)
				var r ProduceResponse
				if err := r.Decode(version, b.p); !errors.Is(err, ErrMalformed) || !r.empty() {
					t.Fatalf("%x: %v, want ErrMalformed and no partial state: %+v", b.p, err, r)
				}
			})
		}
	}
}

func TestProduceResponseName(t *testing.T) {
	// Lengths that the format allows for a topic's name, and those it does not.
	for _, tc := range []struct {
		name    string
		version int16
		in      string
	}{
		{"null", 3, "\x00\x00\x00\x01\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"-2", 8, "\x00\x00\x00\x01\xff\xfe\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"beyond the end", 8, "\x00\x00\x00\x01\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"compact null", 9, "\x02\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"compact beyond the end", 12, "\x02\x09\x01\x00\x00\x00\x00\x00\x00"},
		{"compact 2^32-2", 12, "\x02\xff\xff\xff\xff\x0f\x01\x00\x00\x00\x00\x00\x00"},
		{"version 2", 2, "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"version 14", 14, "\x01\x00\x00\x00\x00\x00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r ProduceResponse
			if err := r.Decode(tc.version, []byte(tc.in)); !errors.Is(err, ErrMalformed) {
				t.Errorf("Decode = %v, want ErrMalformed: %+v", err, r)
			}
		})
	}
}

// TestProduceResponseAllocation measures what the responses cost that are the
// most expensive per byte.
func TestProduceResponseAllocation(t *testing.T) {
	const n = 5000
	table := []struct {
		name    string
		version int16
		build   func(b *builder, version int16)
	}{
		{"partitions claimed, missing", 3, func(b *builder, v int16) {
			b.count(1).topic(v).count(n).raw(string(make([]byte, 22*n)))
		}},
		{"one partition per topic", 3, func(b *builder, v int16) {
			b.count(n)
			for range n {
				b.str(0, "").count(1).partition(v)
			}
		}},
		{"record errors claimed, missing", 9, func(b *builder, v int16) {
			b.count(1).topic(v).count(1).fixed(v).count(n).raw(string(bytes.Repeat([]byte{0xff}, 6*n)))
		}},
		{"two record errors per partition", 12, func(b *builder, v int16) {
			b.count(1).topic(v).count(n)
			for range n {
				b.fixed(v).count(2).raw("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00").str(-1, "").tags("")
			}
		}},
		{"nodes", 13, func(b *builder, _ int16) {
			var nodes builder
			nodes.flexible = true
			nodes.count(n)
			for range n {
				nodes.i32(1).str(0, "").i32(1).str(-1, "").tags("")
			}
			b.count(0).i32(0).raw("\x01\x00")
			b.p = appendUvarint(b.p, uint32(len(nodes.p)))
			b.raw(string(nodes.p))
		}},
		{"tags", 13, func(b *builder, _ int16) {
			b.count(0).i32(0)
			b.p = appendUvarint(b.p, n)
			b.raw(string(make([]byte, 2*n)))
		}},
	}
	for _, tc := range table {
		t.Run(tc.name, func(t *testing.T) {
			b := builder{flexible: Flexible(tc.version)}
			tc.build(&b, tc.version)
			limit := uint64(allocFactor*len(b.p) + allocBase)
			got := allocated(func() {
				var r ProduceResponse
				_ = r.Decode(tc.version, b.p)
			})
			t.Logf("%d bytes allocated for %d received", got, len(b.p))
			if got > limit {
				t.Errorf("%d bytes allocated for %d received, want at most %d", got, len(b.p), limit)
			}
		})
	}
}

// allocated returns how many bytes f allocates: the least of three runs, since
// other goroutines of the test binary may allocate too.
func allocated(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// retained returns how many bytes the slices of r hold.
func (r *ProduceResponse) retained() int {
	return cap(r.Partitions)*int(unsafe.Sizeof(PartitionResult{})) +
		cap(r.RecordErrors)*int(unsafe.Sizeof(RecordError{})) +
		cap(r.Nodes)*int(unsafe.Sizeof(Node{}))
}

func TestProduceResponseForgetsHugeOnes(t *testing.T) {
	const n = 40000
	b := builder{}
	b.count(1).str(1, "t").count(n)
	for range n {
		b.partition(3)
	}
	b.i32(0)
	var r ProduceResponse
	if err := r.Decode(3, b.p); err != nil || len(r.Partitions) != n {
		t.Fatalf("%d partitions, %v", len(r.Partitions), err)
	}
	huge := r.retained()
	small := builder{}
	small.count(1).str(1, "t").count(1).partition(3).i32(0)
	for range 3 {
		if err := r.Decode(3, small.p); err != nil || len(r.Partitions) != 1 {
			t.Fatalf("%d partitions, %v", len(r.Partitions), err)
		}
	}
	if r.retained() > huge/100 {
		t.Errorf("%d bytes retained, %d after the huge response", r.retained(), huge)
	}
}
