package kring

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/internal/goroutine"
	"github.com/kring-go/kring/ring"
)

// hooks tells a producer's hooks. Whoever sees an event pushes it and goes on;
// nobody waits for a hook.
//
//	dialler: connected ───────────────┐
//	role: sent, answered, batch over ─┼─► queue ─► run: each hook in turn
//	role: connection ended, sequence  ┘     │
//	                                        └ full: lost, counted
type hooks struct {
	p          *Producer
	connect    []HookBrokerConnect
	disconnect []HookBrokerDisconnect
	sent       []HookRequestSent
	answered   []HookRequestAnswered
	finished   []HookBatchFinished
	sequence   []HookSequenceLost

	queue *ring.Ring[hookEvent]
	wake  chan struct{} // capacity 1: something was pushed
	stop  chan struct{} // closed when nothing more comes
	done  chan struct{} // closed when all has been told after that
	busy  atomic.Uint64 // the goroutine that is in a hook; 0: none
	over  atomic.Bool   // Close waits no longer: the rest is lost

	told, lost, panics atomic.Uint64
}

// hookEvent is one event of its kind. It is a value, so that telling costs no
// allocation.
type hookEvent struct {
	kind       hookKind
	connect    BrokerConnect
	disconnect BrokerDisconnect
	sent       RequestSent
	answered   RequestAnswered
	finished   BatchFinished
	sequence   SequenceLost
}

type hookKind uint8

const (
	kindConnect hookKind = iota
	kindDisconnect
	kindSent
	kindAnswered
	kindFinished
	kindSequence
)

// hookQueue is how many events may wait for the hooks.
const hookQueue = 1 << 12

// newHooks is nil where there are none.
func newHooks(p *Producer) *hooks {
	list := p.cfg.pipeline.hooks
	if len(list) == 0 {
		return nil
	}
	return &hooks{
		p:          p,
		connect:    hooksOf[HookBrokerConnect](list),
		disconnect: hooksOf[HookBrokerDisconnect](list),
		sent:       hooksOf[HookRequestSent](list),
		answered:   hooksOf[HookRequestAnswered](list),
		finished:   hooksOf[HookBatchFinished](list),
		sequence:   hooksOf[HookSequenceLost](list),
		queue:      ring.New[hookEvent](hookQueue),
		wake:       make(chan struct{}, 1),
		stop:       make(chan struct{}),
		done:       make(chan struct{}),
	}
}

// hooksOf is those of list that have the method of H.
func hooksOf[H any](list []Hook) (have []H) {
	for _, one := range list {
		if h, ok := one.(H); ok {
			have = append(have, h)
		}
	}
	return have
}

// push never waits.
func (h *hooks) push(e *hookEvent) {
	if !h.queue.TryPush(*e) {
		if h.lost.Add(1) == 1 {
			h.p.log.Warn("kring: the hooks are too slow, and are not told everything", "waiting", hookQueue)
		}
		return
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run is the goroutine. A hook that ends it (runtime.Goexit, as t.Fatal does)
// gets a successor.
func (h *hooks) run() {
	ended := false
	defer func() {
		h.busy.Store(0)
		if !ended {
			go h.run()
		}
	}()
	id := goroutine.ID()
	h.drain(id) // what a predecessor has left
	for more := true; more; {
		select {
		case <-h.wake:
		case <-h.stop:
			more = false
		}
		h.drain(id)
	}
	ended = true
	close(h.done)
}

// drain tells what waits; id is the goroutine's.
func (h *hooks) drain(id uint64) {
	for {
		e, ok := h.queue.TryPop()
		if !ok {
			return
		}
		if h.over.Load() {
			h.lost.Add(1)
			continue
		}
		h.busy.Store(id)
		h.tell(&e)
		h.busy.Store(0)
	}
}

// tell counts the event even if a hook ends the goroutine.
func (h *hooks) tell(e *hookEvent) {
	defer h.told.Add(1)
	switch e.kind {
	case kindConnect:
		tellEach(h, h.connect, HookBrokerConnect.OnBrokerConnect, e.connect)
	case kindDisconnect:
		tellEach(h, h.disconnect, HookBrokerDisconnect.OnBrokerDisconnect, e.disconnect)
	case kindSent:
		tellEach(h, h.sent, HookRequestSent.OnRequestSent, e.sent)
	case kindAnswered:
		tellEach(h, h.answered, HookRequestAnswered.OnRequestAnswered, e.answered)
	case kindFinished:
		tellEach(h, h.finished, HookBatchFinished.OnBatchFinished, e.finished)
	case kindSequence:
		tellEach(h, h.sequence, HookSequenceLost.OnSequenceLost, e.sequence)
	}
}

func tellEach[H, E any](h *hooks, list []H, method func(H, E), e E) {
	for _, one := range list {
		tellOne(h, one, method, e)
	}
}

func tellOne[H, E any](h *hooks, one H, method func(H, E), e E) {
	defer func() {
		if v := recover(); v != nil {
			h.panics.Add(1)
			h.p.log.Error("kring: a hook panicked; nothing else is affected",
				"hook", fmt.Sprintf("%T", one), "event", fmt.Sprintf("%T", e), "panic", v)
		}
	}()
	method(one, e)
}

// calling says that the caller is in a hook.
func (h *hooks) calling() bool {
	if h == nil {
		return false
	}
	id := h.busy.Load()
	return id != 0 && id == goroutine.ID()
}

var errHookStuck = errors.New("kring: Close has not waited any longer for a hook that does not return, or for hooks with too much " +
	"left to be told: that is lost, and their goroutine ends with the call that it is in")

// close returns when everything has been told, or nobody waits for it any more.
func (h *hooks) close(ctx context.Context) error {
	if h == nil {
		return nil
	}
	close(h.stop)
	look := time.NewTicker(stuckLimit)
	defer look.Stop()
	for told := h.told.Load(); ; told = h.told.Load() {
		select {
		case <-h.done:
			return nil
		case <-look.C:
			if h.told.Load() == told || ctx.Err() != nil {
				h.over.Store(true)
				return errHookStuck
			}
		}
	}
}
