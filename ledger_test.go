package kring_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// ledger is the oracle of the fault tests: it knows every record that was
// accepted and its outcome, and compares them with the broker's log.
type ledger struct {
	t      *testing.T
	mu     sync.Mutex
	states map[ledgerKey]*ledgerState
}

type ledgerKey struct {
	writer, seq uint32
}

type ledgerState struct {
	partition int32 // intended
	done      int   // completions
	d         kring.Delivery
}

func newLedger(t *testing.T) *ledger {
	return &ledger{t: t, states: make(map[ledgerKey]*ledgerState)}
}

// value makes the value of one record: who, which, where to, and a checksum.
func (l *ledger) value(writer, seq uint32, partition int32, size int) []byte {
	v := make([]byte, max(size, 16))
	binary.BigEndian.PutUint32(v, writer)
	binary.BigEndian.PutUint32(v[4:], seq)
	binary.BigEndian.PutUint32(v[8:], uint32(partition))
	for i := 16; i < len(v); i++ {
		v[i] = byte(seq + uint32(i))
	}
	binary.BigEndian.PutUint32(v[12:], crc32.ChecksumIEEE(v[16:])^binary.BigEndian.Uint32(v[4:]))
	return v
}

func parseLedger(v []byte) (k ledgerKey, partition int32, ok bool) {
	if len(v) < 16 || binary.BigEndian.Uint32(v[12:]) != crc32.ChecksumIEEE(v[16:])^binary.BigEndian.Uint32(v[4:]) {
		return k, 0, false
	}
	return ledgerKey{binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:])}, int32(binary.BigEndian.Uint32(v[8:])), true
}

// accept notes a record and returns its callback. It must be called before
// Produce, and forget after a Produce that failed.
func (l *ledger) accept(k ledgerKey, partition int32) kring.Callback {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &ledgerState{partition: partition}
	l.states[k] = s
	return func(d kring.Delivery) {
		l.mu.Lock()
		defer l.mu.Unlock()
		s.done++
		s.d = d
	}
}

func (l *ledger) forget(k ledgerKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.states, k)
}

// check is P1 to P5 after Close. plain producers may duplicate and reorder.
func (l *ledger) check(b *broker.Broker, topic string, partitions int32, plain bool) (acked, failed int) {
	t := l.t
	t.Helper()
	inLog := make(map[ledgerKey]int)
	at := make(map[string]ledgerKey)
	for p := range partitions {
		log, err := b.Log(topic, p)
		if err != nil {
			t.Fatal(err)
		}
		last := make(map[uint32]int64)
		for r := range log.Records() {
			k, want, ok := parseLedger(r.Value)
			if !ok {
				t.Fatalf("partition %d offset %d: not a record of ours, or torn", p, r.Offset)
			}
			if want != p {
				t.Fatalf("record %v was meant for partition %d and lies in %d", k, want, p)
			}
			inLog[k]++
			at[fmt.Sprint(p, "/", r.Offset)] = k
			if prev, ok := last[k.writer]; ok && int64(k.seq) <= prev && !plain {
				t.Errorf("partition %d: writer %d: record %d after %d", p, k.writer, k.seq, prev)
			}
			last[k.writer] = int64(k.seq)
		}
	}
	for k, s := range l.states {
		if s.done != 1 {
			t.Errorf("record %v has %d completions", k, s.done)
			continue
		}
		n := inLog[k]
		var pe *kring.ProduceError
		switch {
		case n > 1 && !plain:
			t.Errorf("record %v is in the log %d times", k, n)
		case s.d.Err == nil && n == 0:
			t.Errorf("record %v was acked at %d and is not in the log", k, s.d.Offset)
		case s.d.Err == nil && s.d.Offset >= 0 && at[fmt.Sprint(s.d.Partition, "/", s.d.Offset)] != k:
			t.Errorf("record %v was acked at offset %d, where %v lies", k, s.d.Offset, at[fmt.Sprint(s.d.Partition, "/", s.d.Offset)])
		case s.d.Err != nil && !errors.As(s.d.Err, &pe):
			t.Errorf("record %v failed with %T, want *ProduceError: %v", k, s.d.Err, s.d.Err)
		case s.d.Err != nil && pe.Certainty == kring.NotPersisted && n > 0:
			t.Errorf("record %v was NotPersisted and is in the log: %v", k, s.d.Err)
		}
		if s.d.Err == nil {
			acked++
		} else {
			failed++
		}
	}
	for k := range inLog {
		if l.states[k] == nil {
			t.Errorf("record %v is in the log and was never accepted", k)
		}
	}
	return acked, failed
}
