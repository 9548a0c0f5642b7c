package accum

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/kring-go/kring/wire"
)

// readyChan is a ReadySink for tests: the partitions that are marked.
type readyChan chan *Partition

func (c readyChan) PartitionReady(p *Partition) { c <- p }

// newTest makes an accumulator with n partitions of topic "t".
func newTest(t testing.TB, cfg Config, n int) (*Accumulator, []*Partition, readyChan) {
	t.Helper()
	if cfg.Clock == nil {
		cfg.Clock = NewClock()
	}
	if cfg.LingerStarted == nil {
		cfg.LingerStarted = func(*Strand) {}
	}
	a := New(cfg)
	ready := make(readyChan, 4*n)
	parts := make([]*Partition, n)
	for i := range parts {
		parts[i] = a.Make("t", int32(i), ready)
		a.Publish(parts[i])
	}
	return a, parts, ready
}

func record(value []byte) *Record {
	return &Record{Value: value, Payload: wire.PayloadSize(nil, value, nil)}
}

// numbered is a value of size bytes (at least 16) that names its writer and its
// place in the writer's order, and betrays a torn copy.
func numbered(writer, seq uint64, size int) []byte {
	v := make([]byte, max(size, 16))
	binary.LittleEndian.PutUint64(v, writer)
	binary.LittleEndian.PutUint64(v[8:], seq)
	for i := 16; i < len(v); i++ {
		v[i] = byte(writer*31 + seq*7 + uint64(i))
	}
	return v
}

func parseNumbered(t testing.TB, v []byte) (writer, seq uint64) {
	t.Helper()
	if len(v) < 16 {
		t.Fatalf("value of %d bytes, want at least 16", len(v))
	}
	writer, seq = binary.LittleEndian.Uint64(v), binary.LittleEndian.Uint64(v[8:])
	for i := 16; i < len(v); i++ {
		if want := byte(writer*31 + seq*7 + uint64(i)); v[i] != want {
			t.Fatalf("record %d of writer %d is torn at byte %d: %#x, want %#x", seq, writer, i, v[i], want)
		}
	}
	return writer, seq
}

// values decodes a complete batch and checks its header against its bytes.
func values(t testing.TB, b *Batch) (out [][]byte) {
	t.Helper()
	b.WriteHeader()
	var raw []byte
	for _, s := range b.AppendSegments(nil) {
		raw = append(raw, s...)
	}
	if got, want := int(binary.BigEndian.Uint32(raw[8:]))+12, len(raw); got != want {
		t.Fatalf("batch length field gives %d bytes, the batch has %d", got, want)
	}
	n := int(binary.BigEndian.Uint32(raw[57:]))
	if n != b.Records() {
		t.Fatalf("header counts %d records, the state word %d", n, b.Records())
	}
	if got, want := binary.BigEndian.Uint32(raw[17:]), wire.UpdateCRC(0, raw[21:]); got != want {
		t.Fatalf("crc %#x, want %#x", got, want)
	}
	rest := raw[wire.BatchHeaderSize:]
	if codec := raw[22] & 7; codec != 0 {
		rest = expand(t, codec, rest)
	}
	for i := range n {
		r, next, err := wire.NextRecord(rest)
		if err != nil {
			t.Fatalf("record %d of %d: %v", i, n, err)
		}
		if r.OffsetDelta != int32(i) {
			t.Fatalf("record %d has offset delta %d", i, r.OffsetDelta)
		}
		out = append(out, r.Value)
		rest = next
	}
	if len(rest) != 0 {
		t.Fatalf("%d bytes after the last record", len(rest))
	}
	return out
}

// runLane runs a lane until the test ends.
func runLane(t testing.TB, all Callback) *Lane {
	t.Helper()
	l := NewLane(all, nil)
	done := make(chan struct{})
	go func() { l.Run(1); close(done) }()
	t.Cleanup(func() {
		l.Stop()
		select {
		case <-done:
		case <-time.After(time.Minute):
			t.Error("the lane does not stop")
		}
	})
	return l
}
