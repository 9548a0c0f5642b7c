package kring_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
	"github.com/kring-go/kring/internal/expand"
)

var chaosSeed = flag.Uint64("seed", 0, "seed of the fault tests; 0: a new one each time")

// chaos is a script of random faults.
type chaos struct {
	mu   sync.Mutex
	rnd  *rand.Rand
	b    *broker.Broker
	stop bool
}

// hook chooses one fault for about one request in four.
func (c *chaos) hook(info *broker.ProduceInfo) broker.Action {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop || c.rnd.IntN(4) != 0 {
		return broker.Action{}
	}
	all := func(code int16, anyway bool) broker.Action {
		return broker.Action{AppendAnyway: anyway, Errors: []broker.PartitionError{{Partition: broker.AllPartitions, Code: code}}}
	}
	dice := c.rnd.Uint64() // for what runs outside of the lock
	switch c.rnd.IntN(16) {
	case 0:
		return all(int16(kring.NotEnoughReplicas), false)
	case 1:
		return all(int16(kring.NotEnoughReplicasAfterAppend), true)
	case 2:
		return all(int16(kring.RequestTimedOut), c.rnd.IntN(2) == 0)
	case 3:
		return all(int16(kring.CorruptMessage), false)
	case 4:
		return broker.Action{DropBefore: true, Reset: c.rnd.IntN(2) == 0}
	case 5, 6:
		return broker.Action{DropAfter: true, AnswerBytes: c.rnd.IntN(80), Reset: c.rnd.IntN(2) == 0}
	case 7:
		return broker.Action{CorrelationDelta: 1 - 2*int32(c.rnd.IntN(2))}
	case 8:
		return broker.Action{WaitAnswer: time.Duration(c.rnd.IntN(20)) * time.Millisecond}
	case 9:
		return broker.Action{Rewrite: func(f []byte) []byte { return f[:dice%uint64(len(f))] }, DropAfter: true, AnswerBytes: 1 << 20}
	case 10:
		return broker.Action{Rewrite: func(f []byte) []byte { f[dice%8] ^= byte(1 + dice>>32%255); return f }}
	case 11:
		return broker.Action{ThrottleMs: int32(c.rnd.IntN(30))}
	case 12:
		return all(int16(kring.MessageTooLarge), false)
	case 13:
		return all(int16(kring.InvalidRecord), false)
	default:
		p := info.Partitions[c.rnd.IntN(len(info.Partitions))]
		if err := c.b.SetLeader(p.Topic, p.Partition, 1+int32(c.rnd.IntN(3))); err != nil {
			panic(err)
		}
		return broker.Action{}
	}
}

// TestChaos is the contract under random faults: brokers that refuse, forget
// to answer, lie, hang up and hand partitions over, for idempotent and plain
// producers.
func TestChaos(t *testing.T) {
	noLeaks(t)
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for i := range rounds {
		for _, plain := range []bool{false, true} {
			s := seed + uint64(i)
			t.Run(fmt.Sprintf("seed=%d/plain=%t", s, plain), func(t *testing.T) {
				t.Parallel()
				runChaos(t, s, plain)
				if t.Failed() {
					t.Logf("again: go test -run TestChaos -seed %d", s)
				}
			})
		}
	}
}

func runChaos(t *testing.T, seed uint64, plain bool) {
	const partitions = 6
	rnd := rand.New(rand.NewPCG(seed, 1))
	c := &chaos{rnd: rnd}
	b, err := broker.Start(broker.Config{Brokers: 3, Partitions: partitions, Verify: broker.VerifyFull, Decompress: expand.Expand})
	if err != nil {
		t.Fatal(err)
	}
	c.b = b
	defer b.Close()
	opts := []kring.Option{
		kring.Brokers(b.Addrs()...), kring.Linger(time.Duration(rnd.IntN(3)) * time.Millisecond),
		kring.BatchSize(200 + rnd.IntN(2000)), kring.BufferMemory(64 << 10),
		kring.RetryBackoff(time.Millisecond, 20*time.Millisecond), kring.ReconnectBackoff(time.Millisecond, 20*time.Millisecond),
		kring.RequestTimeout(500 * time.Millisecond),
	}
	if rnd.IntN(3) == 0 {
		opts = append(opts, kring.DeliveryTimeout(520*time.Millisecond))
	}
	if rnd.IntN(2) == 0 {
		opts = append(opts, kring.Compression(kring.Codec(1+rnd.IntN(4))))
	}
	if plain {
		opts = append(opts, kring.RequireAcks(kring.AcksLeader))
	}
	p, err := kring.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(t)
	b.SetHook(c.hook)
	per := 3000
	if testing.Short() {
		per = 800
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for w := range uint32(4) {
		own := rand.New(rand.NewPCG(seed, uint64(w)+10))
		wg.Go(func() { chaosWriter(ctx, t, p, l, w, per, partitions, own) })
	}
	wg.Wait()
	if err := p.Flush(ctx); err != nil {
		t.Errorf("flush: %v; %+v\n%s", err, p.Stats(), p.DebugState())
	}
	if err := p.Close(ctx); err != nil {
		t.Fatalf("close: %v; %+v", err, p.Stats())
	}
	acked, failed := l.check(b, "t", partitions, plain)
	if acked == 0 {
		t.Error("nothing was acked")
	}
	t.Logf("%d acked, %d failed; %+v; sequence errors %d, duplicates %d", acked, failed, p.Stats(), b.Stats().SequenceErrors, b.Stats().DuplicateBatches)
}

func chaosWriter(ctx context.Context, t *testing.T, p *kring.Producer, l *ledger, w uint32, per, partitions int, rnd *rand.Rand) {
	produce := p.Produce
	if w%2 == 1 {
		own := p.Topic("t").NewWriter()
		defer own.Close()
		produce = own.Produce
	}
	for i := range uint32(per) {
		k := ledgerKey{w, i}
		part := int32(rnd.IntN(partitions))
		cb := l.accept(k, part)
		size := rnd.IntN(300)
		if rnd.IntN(50) == 0 {
			size = 5000 // larger than a batch
		}
		r := kring.Record{Topic: "t", Partition: kring.On(part), Value: l.value(w, i, part, size)}
		if err := produce(ctx, r, cb); err != nil {
			l.forget(k)
			t.Errorf("produce: %v", err)
			return
		}
	}
}
