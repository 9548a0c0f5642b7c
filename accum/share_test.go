package accum

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring/slab"
)

// shared makes partitions of topics "t", which has a share, and "free".
func shared(t *testing.T, cfg Config, bytes int64) (a *Accumulator, capped, free *Partition, ready readyChan) {
	t.Helper()
	cfg.Topics = map[string]TopicConfig{"t": {Memory: bytes}}
	a, parts, ready := newTest(t, cfg, 1)
	free = a.Make("free", 0, ready)
	a.Publish(free)
	return a, parts[0], free, ready
}

// TestShare: a topic that has used up its share is refused, or waits, while
// others go on; what it holds leaves at once, and gives its share back.
func TestShare(t *testing.T) {
	a, p, free, ready := shared(t, Config{BatchSize: 512, BufferMemory: 64 * 512, Linger: time.Hour, AlwaysComplete: true}, 2*512)
	big := func() *Record { return record(make([]byte, 300)) }
	for range 2 {
		if _, err := p.Append(context.Background(), big(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if used, total := p.topic.share.Used(); used != 1024 || total != 1024 {
		t.Errorf("%d of %d bytes are used", used, total)
	}
	for _, wait := range []time.Duration{0, time.Millisecond} {
		if _, err := p.Append(context.Background(), big(), wait); !IsShare(err) || !errors.Is(err, slab.ErrTimeout) {
			t.Errorf("waited %v: %v", wait, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Append(ctx, big(), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := p.Append(context.Background(), record(make([]byte, 1100)), time.Minute); !errors.Is(err, slab.ErrTooLarge) {
		t.Errorf("larger than the share: %v", err)
	}
	if _, err := free.Append(context.Background(), record(make([]byte, 5000)), 0); err != nil {
		t.Errorf("another topic: %v", err)
	}
	if p.pressed() || free.pressed() {
		t.Error("pressed, and nobody waits")
	}
	lane := NewLane(func(Delivery) {}, nil)
	<-ready
	p.Unmark()
	env := &Env{Now: 1, MaxInFlight: 9}
	p.sender.seq.proven = true
	for range 2 {
		b, why := p.Next(env)
		if b == nil {
			t.Fatalf("a batch of a full share: %v", why)
		}
		p.Take(b, env)
		p.Drop(b, true)
		b.Finish(Outcome{}, lane)
		lane.complete(lane.pop())
	}
	if used, _ := p.topic.share.Used(); used != 0 {
		t.Errorf("%d bytes of the share are used at the end", used)
	}
	if n := a.slab.Leaked(); n != 10 {
		t.Errorf("%d slots away, want those of the other topic", n)
	}
}

// TestShareWaits: who waits gets what is given back, in the order of coming, and
// is woken when the producer closes.
func TestShareWaits(t *testing.T) {
	a, p, _, _ := shared(t, Config{BatchSize: 512, BufferMemory: 64 * 512, Linger: time.Hour}, 512)
	s := p.topic.share
	if err := s.take(context.Background(), 1, 0); err != nil {
		t.Fatal(err)
	}
	const waiters = 3
	order := make(chan int, waiters)
	for i := range waiters {
		go func() {
			if err := s.take(context.Background(), 1, time.Minute); err != nil {
				t.Error(err)
			}
			order <- i
		}()
		for s.waiting.Load() != int32(i+1) || len(s.turn) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	if !p.pressed() {
		t.Error("somebody waits, and p is not pressed")
	}
	for i := range waiters {
		s.giveBack(1)
		if got := <-order; i == 0 && got != 0 {
			t.Errorf("%d came first", got)
		}
	}
	closed := make(chan error)
	go func() { closed <- s.take(context.Background(), 1, time.Minute) }()
	for s.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	a.Refuse()
	a.Refuse()
	if err := <-closed; !errors.Is(err, slab.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if len(s.turn) != 0 || s.waiting.Load() != 0 {
		t.Errorf("turn %d, waiting %d", len(s.turn), s.waiting.Load())
	}
}

// TestBrokerShare: a batch gives back to the share that it took from, wherever
// its partition is led by then.
func TestBrokerShare(t *testing.T) {
	a, p, _, _ := shared(t, Config{BatchSize: 512, BufferMemory: 64 * 512}, 8*512)
	one, two := a.NewShare(1), a.NewShare(1<<40)
	if _, total := two.Used(); total != 64*512 {
		t.Errorf("a share of more than there is: %d bytes", total)
	}
	p.SetBrokerShare(one)
	own(t, &p.Strand, "x")
	if _, err := p.NewStrand().Append(context.Background(), record(nil), 0); !IsShare(err) {
		t.Errorf("the broker's share is used up: %v", err)
	}
	if !p.Head().state.load().complete() {
		t.Error("what is open of the broker's share is not ready")
	}
	if used, _ := p.topic.share.Used(); used != 512 {
		t.Errorf("%d bytes of the topic's share are used: what the broker's refused was not given back", used)
	}
	p.SetBrokerShare(two)
	own(t, &p.Strand, "y")
	env := &Env{Now: 1, MaxInFlight: 9}
	p.sender.seq.proven = true
	b, _ := p.Next(env)
	p.Take(b, env)
	p.Drop(b, true)
	b.Finish(Outcome{}, nil)
	if used, _ := one.Used(); used != 0 {
		t.Errorf("%d bytes of the first share are used", used)
	}
	if used, _ := two.Used(); used != 512 {
		t.Errorf("%d bytes of the second share are used", used)
	}
	p.SetBrokerShare(nil)
	if p.pressed() {
		t.Error("pressed")
	}
}

// TestSharePressed: while somebody waits for a share nobody else gets of it, and
// what is opened of it, by who came before, is ready at once.
func TestSharePressed(t *testing.T) {
	_, p, free, ready := shared(t, Config{BatchSize: 512, BufferMemory: 64 * 512, Linger: time.Hour}, 8*512)
	own(t, &free.Strand, "x")
	p.topic.share.waiting.Store(1)
	if err := p.topic.share.take(context.Background(), 1, 0); !IsShare(err) {
		t.Errorf("overtook who waits: %v", err)
	}
	refused, _, err := p.openBatch(context.Background(), 0, record(nil), 0)
	if refused != nil || !IsShare(err) {
		t.Fatalf("%v, %v", refused, err)
	}
	p.topic.share.waiting.Store(0)
	r := record(nil)
	b, self, err := p.openBatch(context.Background(), 0, r, 0)
	if err != nil {
		t.Fatal(err)
	}
	p.topic.share.waiting.Store(1)
	p.encodeFirst(b, r, firstSize(r))
	p.commitFirst(b, self)
	if len(ready) != 1 || <-ready != p {
		t.Error("a batch that was opened while somebody waits lingers")
	}
	if got, why := p.Next(&Env{Now: 1, MaxInFlight: 1}); got != b {
		t.Errorf("not due: %v", why)
	}
	p.topic.share.waiting.Store(0)
}

// TestShareOfFullMemory: who gets of the share and not of the memory gives back.
func TestShareOfFullMemory(t *testing.T) {
	a, p, free, _ := shared(t, Config{BatchSize: 512, BufferMemory: 4 * 512, Linger: time.Hour}, 8*512)
	p.SetBrokerShare(a.NewShare(1 << 20))
	for range 4 {
		if _, err := free.Append(context.Background(), record(make([]byte, 400)), 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Append(context.Background(), record(nil), time.Millisecond); IsShare(err) || !errors.Is(err, slab.ErrTimeout) {
		t.Errorf("got %v", err)
	}
	for _, s := range []*Share{p.topic.share, p.brokerShare.Load()} {
		if used, _ := s.Used(); used != 0 {
			t.Errorf("%d bytes of a share are used", used)
		}
	}
}

// TestShareStress: with shares that are far too small every record still gets
// through, also oversize ones, and in the end all of it was given back.
func TestShareStress(t *testing.T) {
	for _, linger := range []time.Duration{0, time.Hour} {
		t.Run(fmt.Sprint(linger), func(t *testing.T) {
			const writers, per, size = 6, 1500, 900
			a, parts, ready := newTest(t, Config{
				BatchSize: 512, BufferMemory: 64 * 512, Linger: linger,
				Topics: map[string]TopicConfig{"t": {Memory: 5 * 512}},
			}, 3)
			broker := a.NewShare(4 * 512)
			for _, p := range parts {
				p.SetBrokerShare(broker)
			}
			var completed atomic.Int64
			s := &stressSender{t: t, ready: ready, env: Env{MaxInFlight: 1}, lane: runLane(t, nil), next: make([][]uint64, len(parts))}
			for i := range s.next {
				s.next[i] = make([]uint64, writers)
			}
			done := Completion{Callback: func(Delivery) { completed.Add(1) }}
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() { writeNumbered(t, a, parts, w, per, size, done) })
			}
			go func() { wg.Wait(); sealAll(parts) }()
			s.run(writers * per)
			wg.Wait()
			s.discard(parts)
			awaitHome(t, a, &completed, writers*per)
			for _, share := range []*Share{broker, parts[0].topic.share} {
				if used, _ := share.Used(); used != 0 {
					t.Errorf("%d bytes of a share are used at rest", used)
				}
			}
		})
	}
}

// TestTopicConfig: linger, batch size and compression of a topic of its own, and
// of those that have none.
func TestTopicConfig(t *testing.T) {
	var l *Lingers
	base := compressed(t, Config{})
	cfg := Config{
		BatchSize: 4096, BufferMemory: 1 << 20, Linger: time.Second,
		LingerStarted: func(q *Strand) { l.Start(q) },
		Topics: map[string]TopicConfig{
			"quick": {HasLinger: true},
			"slow":  {Linger: time.Minute, HasLinger: true},
			"small": {BatchSize: 200},
			"dense": {Compressor: base.Compressor, Codec: base.Codec, OwnCompress: true},
		},
	}
	a, _, ready := newTest(t, cfg, 1)
	l = NewLingers(a)
	if lo, hi := a.Lingers(); lo != time.Second || hi != time.Minute {
		t.Errorf("lingers of %v to %v", lo, hi)
	}
	for _, tc := range []struct {
		topic  string
		linger time.Duration
		limit  int // 0: more than 4096
		method bool
	}{
		{"t2", time.Second, 4096, false},
		{"quick", 0, 4096, false},
		{"slow", time.Minute, 4096, false},
		{"small", time.Second, 200, false},
		{"dense", time.Second, 0, true},
	} {
		p := a.Make(tc.topic, 0, ready)
		a.Publish(p)
		if p.Linger() != tc.linger || (p.method() != nil) != tc.method {
			t.Errorf("%s: linger %v, compressed %t", tc.topic, p.Linger(), p.method() != nil)
		}
		if n := p.limitNow(); n != tc.limit && (tc.limit != 0 || n < 3000) {
			t.Errorf("%s: batches of %d bytes, want %d", tc.topic, n, tc.limit)
		}
		own(t, &p.Strand, "x")
		b := p.Head()
		if due, _ := l.due(&p.Strand); due != b.Created()+int64(tc.linger) {
			t.Errorf("%s: the timer comes %v after it was opened", tc.topic, time.Duration(due-b.Created()))
		}
		if _, why := p.Next(&Env{Now: b.Created() + int64(tc.linger) - 1, MaxInFlight: 1}); tc.linger > 0 && why != WaitLinger {
			t.Errorf("%s: %v before its linger is over", tc.topic, why)
		}
		if got, _ := p.Next(&Env{Now: b.Created() + int64(tc.linger), MaxInFlight: 1}); got != b && !tc.method {
			t.Errorf("%s: not ready when its linger is over", tc.topic)
		}
	}
}
