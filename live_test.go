package kring_test

import (
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

// TestReconfigure: a linger of an hour becomes none, batches shrink, compression
// comes and goes; nothing is lost on the way.
func TestReconfigure(t *testing.T) {
	b := caseBroker(t, broker.Config{Verify: broker.VerifyFull, Decompress: expand.Expand, Partitions: 1})
	p := caseProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.BatchSize(8<<10), kring.DeliveryTimeout(3*time.Hour))
	var acked atomic.Int64
	produce := func(n int) {
		t.Helper()
		for range n {
			r := kring.Record{Topic: "t", Value: []byte(strings.Repeat("abcdefgh", 12))}
			if err := p.Produce(patient(t), r, func(d kring.Delivery) {
				if d.Err != nil {
					t.Error(d.Err)
				}
				acked.Add(1)
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	produce(1)
	before := p.CoarseMs()
	until(t, "the timer has heard of it", func() bool { return p.CoarseMs() > before+50 }) // several rounds
	if err := p.Reconfigure(kring.Linger(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	until(t, "what lingered is sent", func() bool { return acked.Load() == 1 })
	produce(1)
	until(t, "nothing lingers for an hour any more", func() bool { return acked.Load() == 2 })

	if err := p.Reconfigure(kring.Linger(time.Hour), kring.BatchSize(1<<10), kring.Compression(kring.Zstd), kring.CompressionLevel(kring.Zstd, 1)); err != nil {
		t.Fatal(err)
	}
	produce(100)
	if err := p.Flush(patient(t)); err != nil { // or what compressed to 1 KiB is sent as it is
		t.Fatal(err)
	}
	if err := p.Reconfigure(kring.Compression(kring.NoCompression)); err != nil {
		t.Fatal(err)
	}
	produce(100)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	records, compressed, batches, largest := 0, 0, 0, 0
	for range log.Records() {
		records++
	}
	for batch := range log.Batches() {
		batches++
		if batch[22]&7 == byte(kring.Zstd) {
			compressed++
		}
		largest = max(largest, len(batch))
	}
	if records != 202 || compressed == 0 || compressed > batches-9 || largest > 1<<10 {
		t.Errorf("%d records, %d of %d batches compressed, the largest of %d bytes", records, compressed, batches, largest)
	}
}

func TestReconfigureRefuses(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(4<<10))
	for _, tc := range []struct {
		opts []kring.Option
		want string
	}{
		{[]kring.Option{kring.Linger(time.Second), kring.BatchSize(8 << 10)}, "BatchSize(8192): the memory of this producer was cut for batches of up to 4096 bytes"},
		{[]kring.Option{kring.Linger(-1)}, "Linger(-1ns): must not be negative"},
		{[]kring.Option{kring.Linger(time.Hour)}, "Linger(1h0m0s): must be at most"},
		{[]kring.Option{kring.Linger(1), kring.Retries(3)}, "option 2 of 2 can only be given to New"},
		{[]kring.Option{nil}, "option 1 of 1"},
		{[]kring.Option{kring.CompressionLevel(kring.Gzip, 11)}, "the level of gzip"},
	} {
		err := p.Reconfigure(tc.opts...)
		if !errors.Is(err, kring.ErrConfig) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
	// Nothing of what was refused is remembered.
	if err := p.Reconfigure(kring.BatchSize(2 << 10)); err != nil {
		t.Error(err)
	}
	if err := p.Close(patient(t)); err != nil {
		t.Fatal(err)
	}
	if err := p.Reconfigure(kring.Linger(1)); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestReconfigureUnderLoad changes everything all the time.
func TestReconfigureUnderLoad(t *testing.T) {
	b := caseBroker(t, broker.Config{Verify: broker.VerifyFull, Decompress: expand.Expand, Partitions: 4})
	p := caseProducer(t, b.Addrs(), kring.Compression(kring.LZ4), kring.BufferMemory(256<<10), kring.BatchSize(2<<10))
	stop := make(chan struct{})
	changed := make(chan int)
	go func() {
		n := 0
		defer func() { changed <- n }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			n++
			if err := p.Reconfigure(kring.Linger(time.Duration(n%3)*time.Millisecond), kring.BatchSize(512+n%7*256),
				kring.Compression([]kring.Codec{kring.LZ4, kring.NoCompression, kring.Snappy}[n%3])); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	const n = 20_000
	got := newOutcomes()
	for i := range n {
		r := kring.Record{Topic: "t", Partition: kring.On(int32(i % 4)), Tag: uint64(i), Value: []byte(strings.Repeat("word ", i%40))}
		if err := p.Produce(patient(t), r, got.take); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	close(stop)
	if k := <-changed; k < 10 {
		t.Errorf("only %d changes", k)
	}
	for _, d := range got.wait(t, n) {
		if d.Err != nil {
			t.Fatal(d.Err)
		}
	}
	for part := range int32(4) {
		if k := len(logValues(t, b, "t", part)); k != n/4 {
			t.Errorf("partition %d has %d records, want %d", part, k, n/4)
		}
	}
}

// TestReconfigureForEver: a service that follows its load calls it every second
// for months. What a call costs does not grow with the calls before it.
func TestReconfigureForEver(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	many := func(n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range n {
			if err := p.Reconfigure(kring.Linger(time.Duration(i) * time.Microsecond)); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	many(3000)
	if most := uint64(100 * 16 << 10); many(100) > most {
		t.Errorf("a hundred calls after 3000 took more than %d bytes", most)
	}
}
