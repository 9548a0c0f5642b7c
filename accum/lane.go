package accum

import (
	"sync/atomic"
)

// Lane is where outcomes become callbacks: a queue of finished batches and the
// one goroutine that calls back. Senders push; they are many. User code runs
// here and nowhere else, so that a callback can not stop the sender, and a lock
// that the caller of Produce holds can not meet itself in a callback.
//
//	sender ─┐ push                    Run
//	sender ─┼──────► [finished] ────────────► callbacks, then memory goes home
//	sender ─┘
//
// A batch keeps its memory until its callbacks have run, so the queue is
// bounded by buffer.memory. It is an intrusive list (Vyukov's): push swaps the
// newest, then links the one before to it.
//
//	L1 swap newest ... orders the pushes
//	L2 store next .... publishes the batch; observed by L3
//	L3 load next ..... nil while a push is between L1 and L2
type Lane struct {
	newest atomic.Pointer[Batch]
	_      [120]byte
	oldest *Batch // Run only
	// now is the batch whose callbacks are running, and next its first record
	// without one: where a successor of Run goes on. Run only.
	now    *Batch
	next   int
	stub   Batch
	wake   chan struct{}
	asleep atomic.Bool
	busy   atomic.Bool // callbacks are running
	stop   atomic.Bool

	inline  bool // call back inside push; immutable
	all     Callback
	onPanic func(topic string, partition int32, value any)
	ran     atomic.Uint64
}

// NewLane makes a lane. all, if not nil, is called for every record that has no
// callback of its own; onPanic hears of a callback that panicked.
func NewLane(all Callback, onPanic func(topic string, partition int32, value any)) *Lane {
	l := &Lane{wake: make(chan struct{}, 1), all: all, onPanic: onPanic}
	l.newest.Store(&l.stub)
	l.oldest = &l.stub
	return l
}

func (l *Lane) push(b *Batch) {
	if l.inline {
		l.completeInline(b)
		return
	}
	b.laneNext.Store(nil)
	prev := l.newest.Swap(b) // L1
	prev.laneNext.Store(b)   // L2
	l.notify()
}

// notify wakes Run if it sleeps. The race to win:
//
//	[R] pop: empty
//	[P] publishes (L2), loads asleep=false, so does not wake
//	[R] stores asleep=true, blocks
//
// So R stores asleep first and pops once more before it blocks. Either P loads
// true or R's second pop sees P's batch.
func (l *Lane) notify() {
	if l.asleep.Load() && l.asleep.CompareAndSwap(true, false) {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// pop returns the oldest finished batch. pending says that a push is under way:
// its notify comes after it, but Run may also simply look again.
func (l *Lane) pop() (b *Batch) {
	head := l.oldest
	next := head.laneNext.Load() // L3
	if head == &l.stub {
		if next == nil {
			return nil
		}
		l.oldest = next
		head, next = next, next.laneNext.Load()
	}
	if next != nil {
		l.oldest = next
		return head
	}
	if l.newest.Load() != head {
		return nil // a push is between L1 and L2; it notifies afterwards
	}
	// head is the only batch: put the stub behind it so that it can leave.
	l.stub.laneNext.Store(nil)
	prev := l.newest.Swap(&l.stub)
	prev.laneNext.Store(&l.stub)
	if next = head.laneNext.Load(); next != nil {
		l.oldest = next
		return head
	}
	return nil
}

// Run calls back until Stop. It is the lane's goroutine. If a callback ends that
// goroutine, Run is to be called again from another one.
func (l *Lane) Run() {
	if l.now != nil {
		l.resume()
	}
	for {
		b := l.pop()
		if b == nil {
			l.asleep.Store(true)
			if b = l.pop(); b == nil {
				if l.stop.Load() {
					return
				}
				<-l.wake
				continue
			}
			l.asleep.Store(false)
		}
		l.complete(b)
	}
}

// Stop makes Run return when the queue is empty.
func (l *Lane) Stop() {
	l.stop.Store(true)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Delivered counts the batches whose callbacks have run.
func (l *Lane) Delivered() uint64 { return l.ran.Load() }

// Inline makes a lane call back inside of the sender's push, on whichever
// goroutine that is. Before first use only.
func (l *Lane) Inline() { l.inline = true }

// completeInline is complete on the sender's goroutine; several senders may be
// here at once.
func (l *Lane) completeInline(b *Batch) {
	for next, n := 0, b.Records(); next < n; {
		l.deliverFrom(b, &next)
	}
	l.ran.Add(1)
	b.release()
}

// Busy says that callbacks are running at this moment.
func (l *Lane) Busy() bool { return l.busy.Load() }

func (l *Lane) complete(b *Batch) {
	l.now, l.next = b, 0
	l.resume()
}

func (l *Lane) resume() {
	b := l.now
	l.busy.Store(true)
	for n := b.Records(); l.next < n; {
		l.deliver(b)
	}
	l.now = nil
	l.busy.Store(false)
	l.ran.Add(1)
	b.release()
}

func (l *Lane) deliver(b *Batch) { l.deliverFrom(b, &l.next) }

// deliverFrom calls back from record *next on. A panic is reported and ends
// only the one callback.
func (l *Lane) deliverFrom(b *Batch, next *int) {
	returned := false
	defer func() {
		v := recover()
		if v == nil && !returned {
			v = "the callback ended its goroutine (runtime.Goexit)"
		}
		if v != nil && l.onPanic != nil {
			l.onPanic(b.part.Topic, b.part.Index, v)
		}
	}()
	b.deliver(*next, l.all, next)
	returned = true
}
