package accum

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/kring-go/kring/compress"
	"github.com/kring-go/kring/wire"
)

// compressed is cfg with snappy.
func compressed(t testing.TB, cfg Config) Config {
	t.Helper()
	z, err := compress.New(compress.Snappy, compress.DefaultLevel)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Compressor, cfg.Codec = z, int16(compress.Snappy)
	cfg.CompressFailed = func(err error) { t.Error(err) }
	return cfg
}

func runPackers(t testing.TB, a *Accumulator, n int) {
	t.Helper()
	if n == 0 {
		return
	}
	var wg sync.WaitGroup
	for range n {
		wg.Go(a.Pack)
	}
	t.Cleanup(func() { a.StopPackers(); wg.Wait() })
}

func expand(t testing.TB, codec byte, p []byte) []byte {
	t.Helper()
	if codec != byte(compress.Snappy) {
		t.Fatalf("codec %d, want snappy", codec)
	}
	out, err := s2.Decode(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func appendAll(t *testing.T, p *Partition, values ...string) {
	t.Helper()
	for _, v := range values {
		if _, err := p.Append(context.Background(), record([]byte(v)), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func repetitive(i int) string { return fmt.Sprintf("%04d %s", i, strings.Repeat("abc", 30)) }

// next takes the next batch, after it was compressed by whoever has to.
func next(t *testing.T, p *Partition) *Batch {
	t.Helper()
	b, w := p.Next(&Env{MaxInFlight: 5})
	if w != Go {
		t.Fatalf("Next: %v", w)
	}
	p.Take(b, &Env{MaxInFlight: 5})
	return b
}

// TestFullBatchIsCompressedByItsWriter: no packer runs here.
func TestFullBatchIsCompressedByItsWriter(t *testing.T) {
	a, parts, _ := newTest(t, compressed(t, Config{BatchSize: 1024, BufferMemory: 1 << 20, Linger: time.Hour}), 1)
	p := parts[0]
	var want []string
	for i := 0; p.Head() == nil || !p.Head().state.load().sealed(); i++ {
		want = append(want, repetitive(i))
		appendAll(t, p, want[i])
	}
	want = want[:len(want)-1] // the last one is in the next batch
	b := next(t, p)
	if b.Size() >= b.rawSize()/2 || b.attributes != int16(compress.Snappy) {
		t.Errorf("%d bytes are sent as %d, attributes %d", b.rawSize(), b.Size(), b.attributes)
	}
	for i, v := range values(t, b) {
		if string(v) != want[i] {
			t.Errorf("record %d is %q, want %q", i, v, want[i])
		}
	}
	raw, sent := a.Compressed()
	if raw != uint64(b.rawSize()-wire.BatchHeaderSize) || sent != uint64(b.Size()-wire.BatchHeaderSize) {
		t.Errorf("counted %d bytes as %d", raw, sent)
	}
	if r := p.topic.ratio.estimate(); r >= 1 || int(p.limit.Load()) <= a.BatchSize() {
		t.Errorf("ratio %v, limit %d: nothing was learnt", r, p.limit.Load())
	}
}

// TestBatchesFillWhenCompressed: they grow until they fill batch.size on the
// wire, and no further than a slot.
func TestBatchesFillWhenCompressed(t *testing.T) {
	a, parts, _ := newTest(t, compressed(t, Config{BatchSize: 4096, BufferMemory: 1 << 22, Linger: time.Hour}), 1)
	p := parts[0]
	text := func(i int) string { return fmt.Sprintf("%d %x %s", i, i*7919*7919*7919, strings.Repeat("k", 30)) }
	size := 0
	for i := range 3000 {
		appendAll(t, p, text(i))
		for b := p.Head(); b != nil && b.state.load().complete(); b = p.Head() {
			b = next(t, p)
			if b.rawSize() > a.slab.SlotSize() {
				t.Fatalf("%d bytes in a slot of %d", b.rawSize(), a.slab.SlotSize())
			}
			size = b.Size()
			p.Drop(b, true)
			b.Finish(Outcome{}, nil)
		}
	}
	if size < 4096*8/10 || size > 4096*12/10 {
		t.Errorf("the last batch has %d bytes on the wire, want about 4096", size)
	}
}

// TestSenderLeavesCompressionToPackers: it seals a batch whose linger is over,
// and sends it when a packer says so.
func TestSenderLeavesCompressionToPackers(t *testing.T) {
	a, parts, ready := newTest(t, compressed(t, Config{BatchSize: 4096, BufferMemory: 1 << 20, Linger: time.Millisecond}), 1)
	p := parts[0]
	appendAll(t, p, repetitive(1), repetitive(2))
	env := &Env{Now: a.cfg.Clock.Now() + int64(time.Hour), MaxInFlight: 5}
	for range 2 {
		if _, w := p.Next(env); w != WaitPacking {
			t.Fatalf("Next: %v, want %v", w, WaitPacking)
		}
	}
	if b := p.Expired(1 << 62); b != nil {
		t.Fatal("a batch was given up under its packer's hands")
	}
	if n := len(a.packing.waiting); n != 1 {
		t.Fatalf("%d batches wait for a packer, want 1", n)
	}
	runPackers(t, a, 1)
	select {
	case <-ready:
		p.Unmark()
	case <-time.After(10 * time.Second):
		t.Fatal("nobody said that the batch is packed")
	}
	b, w := p.Next(env)
	if w != Go || b.Size() >= b.rawSize() {
		t.Fatalf("Next: %v", w)
	}
	if got := values(t, b); len(got) != 2 || string(got[0]) != repetitive(1) {
		t.Errorf("sent %q", got)
	}
}

// TestLateClaim: the one who completed a batch comes to compress it when the
// sender was faster and the batch has begun another life.
func TestLateClaim(t *testing.T) {
	_, parts, _ := newTest(t, compressed(t, Config{BatchSize: 512, BufferMemory: 512, Linger: time.Hour}), 1)
	p := parts[0]
	appendAll(t, p, repetitive(1))
	b := p.Head()
	gen := b.state.load().gen()
	p.Seal(Ticket(makeWord(gen, b.index)))
	b = next(t, p)
	p.Drop(b, true)
	b.Finish(Outcome{}, nil)
	appendAll(t, p, repetitive(2))
	if b.state.load().gen() == gen {
		t.Fatal("the same life")
	}
	if b.claim(gen) {
		t.Error("a batch that is being written was claimed")
	}
	if b.Size() != b.rawSize() {
		t.Error("the last life's bytes are still there")
	}
}

// TestExpiredBeforeCompression: nobody compresses what will not be sent.
func TestExpiredBeforeCompression(t *testing.T) {
	_, parts, _ := newTest(t, compressed(t, Config{BatchSize: 512, BufferMemory: 1024, Linger: time.Hour}), 1)
	p := parts[0]
	appendAll(t, p, repetitive(1))
	gen := p.Head().state.load().gen()
	b := p.Expired(1 << 62)
	if b == nil {
		t.Fatal("not expired")
	}
	if b.claim(gen) {
		t.Error("claimed after its end")
	}
}

// TestChildrenAreCompressed: the broker measures what it gets.
func TestChildrenAreCompressed(t *testing.T) {
	a, parts, ready := newTest(t, compressed(t, Config{BatchSize: 8192, BufferMemory: 1 << 20, Linger: time.Hour}), 1)
	runPackers(t, a, 1)
	p := parts[0]
	for i := range 20 {
		appendAll(t, p, repetitive(i))
	}
	p.Seal(Ticket(makeWord(p.Head().state.load().gen(), p.Head().index)))
	<-ready
	p.Unmark()
	b := next(t, p)
	if err := p.Split(b); err != nil {
		t.Fatal(err)
	}
	if p.topic.ratio.estimate() != 1 {
		t.Errorf("ratio %v after a split, want 1", p.topic.ratio.estimate())
	}
	i := 0
	for i < 20 {
		c, w := p.Next(&Env{MaxInFlight: 5})
		if w == WaitPacking {
			<-ready
			p.Unmark()
			continue
		}
		if w != Go {
			t.Fatalf("Next: %v", w)
		}
		p.Take(c, &Env{MaxInFlight: 5})
		if c.Size() >= c.rawSize() {
			t.Errorf("a child of %d bytes is sent as %d", c.rawSize(), c.Size())
		}
		for _, v := range values(t, c) {
			if string(v) != repetitive(i) {
				t.Errorf("record %d is %q", i, v)
			}
			i++
		}
		p.Drop(c, true)
	}
}

// TestWhatDoesNotCompressIsSentAsItIs, and after some batches not even tried.
func TestWhatDoesNotCompressIsSentAsItIs(t *testing.T) {
	cfg := compressed(t, Config{BatchSize: 512, BufferMemory: 1 << 16, Linger: time.Hour})
	tried := 0
	cfg.Compressor = compressorFunc(func(dst, src []byte) ([]byte, error) {
		tried++
		return append(append(dst, "x"...), src...), nil
	})
	_, parts, _ := newTest(t, cfg, 1)
	p := parts[0]
	for i := range 100 {
		appendAll(t, p, repetitive(i))
		p.Seal(Ticket(makeWord(p.Head().state.load().gen(), p.Head().index)))
		b := next(t, p)
		if b.Size() != b.rawSize() || b.attributes != 0 {
			t.Fatalf("batch %d: %d bytes for %d, attributes %d", i, b.Size(), b.rawSize(), b.attributes)
		}
		if got := values(t, b); len(got) != 1 || string(got[0]) != repetitive(i) {
			t.Fatalf("batch %d: sent %q", i, got)
		}
		p.Drop(b, true)
		b.Finish(Outcome{}, nil)
	}
	if tried < missesAllowed+1 || tried > 10 {
		t.Errorf("%d of 100 batches were tried, want a few", tried)
	}
}

func TestCompressorThatFails(t *testing.T) {
	cfg := compressed(t, Config{BatchSize: 512, BufferMemory: 1 << 16, Linger: time.Hour})
	broken := errors.New("broken")
	cfg.Compressor = compressorFunc(func(dst, _ []byte) ([]byte, error) { return dst, broken })
	var heard error
	cfg.CompressFailed = func(err error) { heard = err }
	_, parts, _ := newTest(t, cfg, 1)
	p := parts[0]
	appendAll(t, p, repetitive(1))
	p.Seal(Ticket(makeWord(p.Head().state.load().gen(), p.Head().index)))
	b := next(t, p)
	if got := values(t, b); len(got) != 1 || !bytes.Equal(got[0], []byte(repetitive(1))) {
		t.Errorf("sent %q", got)
	}
	if !errors.Is(heard, broken) {
		t.Errorf("heard %v", heard)
	}
}

type compressorFunc func(dst, src []byte) ([]byte, error)

func (f compressorFunc) Append(dst, src []byte) ([]byte, error) { return f(dst, src) }

func TestRatio(t *testing.T) {
	r := newRatio()
	for range 50 {
		r.observe(0.3)
	}
	if e := r.estimate(); e < 0.3 || e > 0.31 {
		t.Errorf("estimate %v after fifty batches of 0.3", e)
	}
	r.observe(0.32)
	if e := r.estimate(); e < 0.349 {
		t.Errorf("estimate %v, want 0.05 more for a worse batch", e)
	}
	r.observe(0.9)
	if e := r.estimate(); e != 0.9 {
		t.Errorf("estimate %v, want a much worse batch to count as it is", e)
	}
	for range 3 * missesAllowed {
		if !r.worthIt() {
			break
		}
		r.observe(1)
	}
	skipped := 1 // which ended the loop
	for !r.worthIt() {
		skipped++
	}
	if skipped != firstSkip {
		t.Errorf("%d batches were skipped, want %d", skipped, firstSkip)
	}
	r.observe(1)
	for skipped = 0; !r.worthIt(); skipped++ {
	}
	if skipped != 2*firstSkip {
		t.Errorf("%d batches were skipped the second time, want %d", skipped, 2*firstSkip)
	}
	r.observe(0.5)
	if !r.worthIt() {
		t.Error("a topic that compresses again is left alone")
	}
}

func TestSlotSizes(t *testing.T) {
	for _, tc := range []struct {
		batch  int
		memory int64
		on     bool
		want   int
	}{
		{16 << 10, 32 << 20, false, 16 << 10},
		{16 << 10, 32 << 20, true, 64 << 10},
		{16 << 10, 1 << 20, true, 16 << 10},
		{16 << 10, 2 << 20, true, 32 << 10},
		{1 << 20, 1 << 30, true, MaxBatchBytes},
		{1, 32 << 20, true, minSlot},
	} {
		cfg := Config{BatchSize: tc.batch, BufferMemory: tc.memory}
		if tc.on {
			cfg = compressed(t, cfg)
		}
		if got := cfg.slotSize(); got != tc.want {
			t.Errorf("%+v: slots of %d", tc, got)
		}
	}
}

// TestSmallBatchesWaitForPackers: there are more of them than whole slots, and
// who seals them, a Flush or the sender, does not compress them all the same.
func TestSmallBatchesWaitForPackers(t *testing.T) {
	calls := 0
	z := compressorFunc(func(dst, src []byte) ([]byte, error) { calls++; return append(dst, src[:len(src)/2]...), nil })
	const slots, parts = 3, 9
	a, list, _ := newTest(t, Config{BatchSize: 16 << 10, BufferMemory: slots * 16 << 10, Linger: time.Hour, Compressor: z, Codec: 2}, parts)
	for _, p := range list {
		appendAll(t, p, strings.Repeat("x", 100))
		p.SealOpen()
	}
	if n := len(a.packing.waiting); n != parts || calls != 0 {
		t.Errorf("%d of %d batches wait for a packer, %d were compressed here", n, parts, calls)
	}
	go a.Pack()
	defer a.StopPackers()
	for _, p := range list {
		for b, w := p.Next(&Env{}); b == nil; b, w = p.Next(&Env{}) {
			if w != WaitPacking {
				t.Fatalf("Next: %v", w)
			}
			time.Sleep(time.Millisecond)
		}
	}
}
