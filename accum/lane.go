package accum

import (
	"sync/atomic"
)

// Lane is where outcomes become callbacks: a queue of finished batches and one
// goroutine at a time that calls back, the lane's owner. Senders push; they are
// many. User code runs here and nowhere else, so that a callback can not stop
// the sender, and a lock that the caller of Produce holds can not meet itself
// in a callback.
//
//	sender ─┐ push                    the owner: Run, or Visit
//	sender ─┼──────► [finished] ────────────► callbacks, then memory goes home
//	sender ─┘
//
// A batch keeps its memory until its callbacks have run, so the queue is
// bounded by buffer.memory. It is an intrusive list (Vyukov's): push swaps the
// newest, then links the one before to it.
//
//	L1 swap newest ... orders the pushes
//	L2 store next .... publishes the batch; observed by L3 and L5
//	L3 load next ..... nil while a push is between L1 and L2
//
// # Who owns the lane
//
// Usually nobody does: asleep is true. Whoever takes asleep to false owns the
// lane, or makes Run's goroutine the owner by a token. A goroutine that has
// nothing better to do than to wait for the next answer takes the lane itself
// (Claim, Visit): it spares the wake-up of another one, which costs more than a
// callback.
//
//	L4 store asleep=true ........ the owner lets go; then L5
//	L5 load next of the oldest .. the push that came in between
//	L6 CAS asleep true→false .... a new owner
//	L7 token .................... an owner makes Run's goroutine the owner
type Lane struct {
	newest atomic.Pointer[Batch]
	_      [120]byte
	oldest *Batch // the owner's
	// now is the batch whose callbacks are running, and next its first record
	// without one: where a successor goes on after a callback that ended its
	// goroutine. The owner's.
	now    *Batch
	next   int
	stub   Batch
	token  chan struct{} // at most one: ownership on its way to Run
	asleep atomic.Bool   // nobody owns the lane
	busy   atomic.Bool   // callbacks are running
	stop   atomic.Bool
	owner  atomic.Uint64 // of the goroutine that runs callbacks while busy
	// asked counts the tokens that were sent and those that were taken: it is
	// odd while Run's goroutine is to run, and does not yet.
	asked atomic.Uint64

	inline  bool // call back inside push; immutable
	all     Callback
	onPanic func(topic string, partition int32, value any)
	ran     atomic.Uint64
}

// NewLane makes a lane. all, if not nil, is called for every record that has no
// callback of its own; onPanic hears of a callback that panicked. The lane
// belongs to the caller of Run from the beginning.
func NewLane(all Callback, onPanic func(topic string, partition int32, value any)) *Lane {
	l := &Lane{token: make(chan struct{}, 1), all: all, onPanic: onPanic}
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

// notify makes Run's goroutine the owner if there is none. The race to win:
//
//	[O] pop: empty
//	[P] publishes (L2), loads asleep=false, so wakes nobody
//	[O] stores asleep=true (L4) and goes away
//
// So O stores asleep first and looks once more (L5). Either P loads true or O
// sees P's batch.
func (l *Lane) notify() {
	if l.Claim() {
		l.hand()
	}
}

// hand makes Run's goroutine the owner (L7). It never blocks: there is one owner,
// so one token.
func (l *Lane) hand() {
	l.asked.Add(1)
	l.token <- struct{}{}
}

// take waits until Run's goroutine is the owner.
func (l *Lane) take() {
	<-l.token
	l.asked.Add(1)
}

// Asked is odd while Run's goroutine was told to run and does not yet. It is
// another number each time.
func (l *Lane) Asked() uint64 { return l.asked.Load() }

// Claim makes the caller the owner of the lane if nobody is (L6). The owner
// calls Visit or Release.
func (l *Lane) Claim() bool {
	return l.asleep.Load() && l.asleep.CompareAndSwap(true, false)
}

// Release lets go of a claimed lane; what is in it becomes Run's.
func (l *Lane) Release() {
	if !l.letGo() {
		l.hand()
	}
}

// letGo gives the ownership up. False: there is more to do, and the caller
// owns the lane still. After true the caller does not touch what is the
// owner's.
func (l *Lane) letGo() bool {
	head := l.oldest
	l.asleep.Store(true) // L4
	// If head is a batch, a push is between L1 and L2 and notifies after it.
	if head.laneNext.Load() == nil && !l.stop.Load() { // L5
		return true
	}
	return !l.Claim()
}

// pop returns the oldest finished batch, nil if there is none or a push is under
// way, whose notify comes after it. The owner's.
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

// Run calls back until Stop. It is the goroutine of the lane that is always
// there; id is its number. If a callback ends that goroutine, Run is to be
// called again from another one.
func (l *Lane) Run(id uint64) {
	l.owner.Store(id)
	for {
		if l.now != nil { // a callback ended the goroutine before
			l.resume()
		}
		if b := l.pop(); b != nil {
			l.complete(b)
			continue
		}
		if l.stop.Load() {
			return
		}
		if l.letGo() {
			l.take()
			l.owner.Store(id)
		}
	}
}

// Waiting says that there is something to call back for. The owner's.
func (l *Lane) Waiting() bool { return l.oldest.laneNext.Load() != nil }

// visitLimit bounds how many batches a visitor calls back for.
const visitLimit = 64

// Visit calls back for what is in the lane and lets go of it. The caller has
// claimed it, and id is the number of its goroutine. Where a callback ends that
// goroutine, Run goes on behind it.
func (l *Lane) Visit(id uint64) {
	returned := false
	defer func() {
		if !returned {
			l.hand()
		}
	}()
	l.owner.Store(id)
	for range visitLimit {
		b := l.pop()
		if b == nil {
			break
		}
		l.complete(b)
	}
	returned = true
	l.Release()
}

// Stop makes Run return when the queue is empty.
func (l *Lane) Stop() {
	l.stop.Store(true)
	l.notify()
}

// Delivered counts the batches whose callbacks have run.
func (l *Lane) Delivered() uint64 { return l.ran.Load() }

// Inline makes a lane call back inside of the sender's push, on whichever
// goroutine that is. Before first use only.
func (l *Lane) Inline() { l.inline = true }

// completeInline is complete on the sender's goroutine; several senders may be
// here at once.
func (l *Lane) completeInline(b *Batch) {
	for next, n := 0, b.outcomes(); next < n; {
		l.deliverFrom(b, &next)
	}
	l.ran.Add(1)
	b.calledBack()
	b.release()
}

// Busy says that callbacks are running at this moment, and on which goroutine.
func (l *Lane) Busy() (id uint64, busy bool) {
	busy = l.busy.Load()
	return l.owner.Load(), busy
}

func (l *Lane) complete(b *Batch) {
	l.now, l.next = b, 0
	l.resume()
}

func (l *Lane) resume() {
	b := l.now
	l.busy.Store(true)
	for n := b.outcomes(); l.next < n; {
		l.deliver(b)
	}
	l.now = nil
	l.busy.Store(false)
	l.ran.Add(1)
	b.calledBack()
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
