package kring_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

// storm is chaos with everything else at once: many partitions with little
// memory, so that slots are small, deadlines, batches that are too large, errors
// for some partitions of a request, stalls, leaders that go away, shares of the
// memory, every way to produce, settings that change, and an end by Close, by
// Drain, or by a Close that is given no time.
type storm struct {
	rnd        *rand.Rand
	partitions int32
	acks       kring.Acks
	b          *broker.Broker
	p          *kring.Producer
	l          *ledger
	order      *callbackOrder
	limit      int // MaxBufferedRecords; 0: none
}

// TestStorm is the contract in a storm.
func TestStorm(t *testing.T) {
	noLeaks(t)
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	rounds := 6
	if testing.Short() || raceEnabled {
		rounds = 2
	}
	for i := range rounds {
		s := seed + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", s), func(t *testing.T) {
			t.Parallel()
			runStorm(t, s)
			if t.Failed() {
				t.Logf("again: go test -run TestStorm -seed %d", s)
			}
		})
	}
}

// pick chooses one of list.
func pick[T any](rnd *rand.Rand, list ...T) T { return list[rnd.IntN(len(list))] }

func (s *storm) options() []kring.Option {
	rnd, ms := s.rnd, time.Millisecond
	batch := pick(rnd, 300, 2000, 8192, 16384)
	memory := batch * pick(rnd, 2, 4, 16, 64)
	opts := []kring.Option{
		kring.Brokers(s.b.Addrs()...), kring.RequireAcks(s.acks), kring.BatchSize(batch), kring.BufferMemory(int64(memory)),
		kring.Linger(pick(rnd, 0, ms, 30*ms)), kring.MaxBlock(pick(rnd, 20*ms, 10*time.Second)),
		kring.RetryBackoff(ms, 20*ms), kring.ReconnectBackoff(ms, 20*ms),
		kring.RequestTimeout(200 * ms), kring.DeliveryTimeout(pick(rnd, 250*ms, 20*time.Second)),
		kring.MaxRequestSize(pick(rnd, 12<<10, 1<<20)),
	}
	if s.acks != kring.AcksAll {
		opts = append(opts, kring.MaxInFlight(pick(rnd, 1, 5)))
	}
	if rnd.IntN(2) == 0 {
		opts = append(opts, kring.Compression(pick(rnd, kring.LZ4, kring.Zstd, kring.Snappy, kring.Gzip)))
	}
	if rnd.IntN(4) == 0 {
		opts = append(opts, kring.BrokerMemory(int64(memory/2)))
	}
	if rnd.IntN(4) == 0 {
		opts = append(opts, kring.TopicSettings("t", kring.TopicMemory(int64(memory/2))))
	}
	if rnd.IntN(3) == 0 {
		opts = append(opts, kring.ConnectionsPerBroker(2))
	}
	if rnd.IntN(2) == 0 {
		s.limit = pick(rnd, 1, 2, 7, 100, 5000)
		opts = append(opts, kring.MaxBufferedRecords(s.limit))
		if rnd.IntN(2) == 0 {
			opts = append(opts, kring.InlineDelivery())
		}
	}
	return opts
}

// hook scripts the broker. It has its own dice, because it runs beside the writers.
func (s *storm) hook(seed uint64) broker.Hook {
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(seed, 2))
	codes := []kring.KafkaError{
		kring.NotEnoughReplicas, kring.CorruptMessage, kring.MessageTooLarge, kring.InvalidRecord,
		kring.UnknownTopicOrPartition, kring.KafkaStorageError, kring.PolicyViolation,
	}
	return func(info *broker.ProduceInfo) broker.Action {
		mu.Lock()
		defer mu.Unlock()
		var a broker.Action
		for _, q := range info.Partitions {
			switch {
			case q.Count > 20 && rnd.IntN(4) == 0: // the limit of a topic
				a.Errors = append(a.Errors, broker.PartitionError{Topic: q.Topic, Partition: q.Partition, Code: int16(kring.MessageTooLarge)})
			case rnd.IntN(12) == 0:
				a.Errors = append(a.Errors, broker.PartitionError{Topic: q.Topic, Partition: q.Partition, Code: int16(pick(rnd, codes...))})
			case rnd.IntN(40) == 0:
				_ = s.b.SetLeader(q.Topic, q.Partition, 1+int32(rnd.IntN(3)))
			case rnd.IntN(100) == 0:
				_ = s.b.SetLeader(q.Topic, q.Partition, -1)
				time.AfterFunc(5*time.Millisecond, func() { _ = s.b.SetLeader(q.Topic, q.Partition, 1) })
			}
		}
		switch dice := rnd.Uint64(); rnd.IntN(60) {
		case 0:
			a.DropBefore, a.Reset = true, dice&1 == 0
		case 1:
			a.DropAfter, a.AnswerBytes, a.Reset = true, int(dice%80), dice&1 == 0
		case 2:
			a.Wait = time.Duration(dice%30) * time.Millisecond
		case 3:
			a.WaitAnswer = time.Duration(dice%100) * time.Millisecond
		case 4:
			a.ThrottleMs = int32(dice % 30)
		case 5:
			a.Rewrite = func(f []byte) []byte { return f[:dice%uint64(len(f))] }
			a.DropAfter, a.AnswerBytes = true, 1<<20
		case 6:
			if dice%4 > 0 {
				break // it costs a whole request timeout
			}
			a.Rewrite = func([]byte) []byte { return nil }
		}
		return a
	}
}

func runStorm(t *testing.T, seed uint64) {
	s := &storm{rnd: rand.New(rand.NewPCG(seed, 1)), l: newLedger(t), order: &callbackOrder{t: t, last: make(map[[2]uint32]uint32)}}
	s.partitions = pick[int32](s.rnd, 3, 40, 2000)
	if !testing.Short() && s.rnd.IntN(4) == 0 {
		s.partitions = 10000
	}
	s.acks = pick(s.rnd, kring.AcksAll, kring.AcksAll, kring.AcksLeader, kring.AcksNone)
	b, err := broker.Start(broker.Config{Brokers: 3, Partitions: int(s.partitions), Verify: broker.VerifyFull, Decompress: expand.Expand})
	if err != nil {
		t.Fatal(err)
	}
	s.b = b
	defer b.Close()
	p, err := kring.New(s.options()...)
	if err != nil {
		t.Fatal(err)
	}
	s.p = p
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := p.Warmup(ctx, "t"); err != nil {
		t.Error(err)
	}
	b.SetHook(s.hook(seed))
	per := 3000
	if testing.Short() {
		per = 1000
	}
	var wg sync.WaitGroup
	for w := range uint32(4) {
		own := rand.New(rand.NewPCG(seed, uint64(w)+10))
		wg.Go(func() { s.write(ctx, t, w, per, own) })
	}
	wg.Wait()
	drained := s.end(ctx, t)
	s.check(t, drained)
}

// end ends the producer in one of its ways and returns what was handed back.
func (s *storm) end(ctx context.Context, t *testing.T) (drained []kring.Undelivered) {
	soon, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	var err error
	switch s.rnd.IntN(4) {
	case 0:
		if drained, err = s.p.Drain(soon); err != nil {
			t.Errorf("drain: %v", err)
		}
	case 1:
		_ = s.p.Close(soon)
	case 2:
		if err = s.p.Flush(ctx); err != nil {
			t.Fatalf("flush: %v\n%s", err, s.p.DebugState())
		}
		fallthrough
	default:
		if err = s.p.Close(ctx); err != nil {
			t.Fatalf("close: %v\n%s", err, s.p.DebugState())
		}
	}
	if st := s.p.Stats(); st.BufferFree != st.BufferTotal || st.IncompleteBatch != 0 || st.BufferWaiting != 0 {
		t.Errorf("after the end: %+v", st)
	}
	if s.limit > 0 {
		wantPlaces(t, s.p, int64(s.limit))
	}
	return drained
}

// callbackOrder checks that callbacks of one writer and partition come in order.
type callbackOrder struct {
	t    *testing.T
	mu   sync.Mutex
	last map[[2]uint32]uint32
}

func (o *callbackOrder) around(k ledgerKey, part int32, cb kring.Callback) kring.Callback {
	return func(d kring.Delivery) {
		o.mu.Lock()
		at := [2]uint32{k.writer, uint32(part)}
		if last, ok := o.last[at]; ok && last >= k.seq {
			o.t.Errorf("writer %d, partition %d: callback of record %d after that of %d", k.writer, part, k.seq, last)
		}
		o.last[at] = k.seq
		o.mu.Unlock()
		cb(d)
	}
}

// write produces the records of one writer, each in one of the ways.
func (s *storm) write(ctx context.Context, t *testing.T, w uint32, per int, rnd *rand.Rand) {
	own := s.p.Topic("t").NewWriter()
	defer own.Close()
	hot := int32(rnd.IntN(int(s.partitions)))
	for i := range uint32(per) {
		k, part := ledgerKey{w, i}, int32(rnd.IntN(int(s.partitions)))
		if rnd.IntN(2) == 0 {
			part = hot
		}
		cb := s.order.around(k, part, s.l.accept(k, part))
		size := rnd.IntN(300)
		if rnd.IntN(60) == 0 {
			size = rnd.IntN(4000)
		}
		r := kring.Record{Topic: "t", Partition: kring.On(part), Value: s.l.value(w, i, part, size), Tag: uint64(w)<<32 | uint64(i)}
		if rnd.IntN(3) == 0 {
			r.Deadline = time.Now().Add(time.Duration(rnd.IntN(40)) * time.Millisecond)
		}
		if err := s.produce(ctx, own, w, rnd, r, cb); err != nil {
			s.l.forget(k)
			if ctx.Err() != nil {
				t.Errorf("produce: %v\n%s", err, s.p.DebugState())
				return
			}
		}
		if rnd.IntN(2000) == 0 {
			if err := s.p.Reconfigure(kring.Linger(time.Duration(rnd.IntN(20)) * time.Millisecond)); err != nil {
				t.Error(err)
			}
		}
	}
}

var errAborted = errors.New("the reservation was given back")

// produce keeps each writer to one queue: only that has an order.
func (s *storm) produce(ctx context.Context, own *kring.Writer, w uint32, rnd *rand.Rand, r kring.Record, cb kring.Callback) error {
	if w%2 == 0 {
		if rnd.IntN(4) == 0 {
			return s.p.TryProduce(r, cb)
		}
		return s.p.ProduceRecord(ctx, &r, cb)
	}
	if rnd.IntN(2) == 0 {
		return own.ProduceRecord(ctx, &r, cb)
	}
	value := r.Value
	r.Value = nil
	x, err := own.Reserve(ctx, r, len(value)+rnd.IntN(50))
	if err != nil {
		return err
	}
	if rnd.IntN(5) == 0 {
		x.Abort()
		return errAborted
	}
	return x.Commit(copy(x.Value(), value), cb)
}

// check is the ledger's, and that Drain hands back what it says it does.
func (s *storm) check(t *testing.T, drained []kring.Undelivered) {
	back := make(map[uint64]int)
	for i := range drained {
		back[drained[i].Tag]++
	}
	for k, st := range s.l.states {
		n := back[uint64(k.writer)<<32|uint64(k.seq)]
		if want := errors.Is(st.d.Err, kring.ErrDrained); n > 1 || want != (n == 1) {
			t.Errorf("record %v was handed back %d times: %v", k, n, st.d.Err)
		}
		if s.acks == kring.AcksNone && st.d.Err == nil {
			st.d.Err = &kring.ProduceError{} // nobody promised anything
		}
	}
	acked, failed := s.l.check(s.b, "t", s.partitions, s.acks != kring.AcksAll)
	st := s.p.Stats()
	t.Logf("%d partitions, %v, %d acked, %d failed, %d handed back, %d splits, %d bumps", s.partitions, s.acks, acked, failed, len(drained), st.Splits, st.EpochBumps)
}
