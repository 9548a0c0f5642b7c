package kring

import (
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/accum"
)

// timer is the producer's one goroutine that wakes by time: it ends lingers
// and makes brokers look at their deadlines. While records are in the producer
// it wakes at least every TickInterval; otherwise it sleeps.
type timer struct {
	p      *Producer
	asleep atomic.Bool
	wake   chan struct{}
}

// restAfter is how long the timer keeps ticking after the last record got its
// outcome. Waking a goroutine costs more than a tick, so a producer with a
// record now and then must not wake it for each.
const restAfter = 500 * time.Millisecond

// idleTick is how often a producer without records looks at its connections.
const idleTick = 30 * time.Second

// loadInterval is how often the adaptive partitioner hears of the queues.
const loadInterval = 100 * time.Millisecond

func (t *timer) init(p *Producer) {
	t.p = p
	t.wake = make(chan struct{}, 1)
}

// awake is called when a batch is opened. The race to win, opener O against
// the timer T:
//
//	[T] sees no batch
//	[O] counts its batch, loads asleep=false
//	[T] stores asleep=true and sleeps
//
// So T stores asleep first and looks again.
func (t *timer) awake() {
	if t.asleep.Load() && t.asleep.CompareAndSwap(true, false) {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
}

func (t *timer) run() {
	p := t.p
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	lastLive := p.clock.Now()
	lastLoads := lastLive
	for {
		now, _ := p.clock.Read()
		next := p.lingers.Fire(now)
		if p.acc.Busy() {
			lastLive = now
		}
		p.acc.Tick()
		p.tickAll()
		p.reportLanes(now)
		if p.cfg.adaptive && now-lastLoads > int64(loadInterval) && lastLive == now {
			lastLoads = now
			p.updateLoads()
		}
		pause := t.pause(p.clock.Now(), next, lastLive)
		if pause == idleTick {
			t.asleep.Store(true)
			if p.acc.Busy() {
				t.asleep.Store(false)
				continue
			}
		}
		clock.Reset(pause)
		select {
		case <-clock.C:
		case <-t.wake:
			lastLive = p.clock.Now()
		case <-p.ctx.Done():
			return
		}
		t.asleep.Store(false)
	}
}

// pause is how long the timer may sleep. A batch that opens meanwhile lingers
// for a whole linger.ms, so sleeping that long never misses its end by more
// than the sleep itself is inexact.
func (t *timer) pause(now, nextLinger, lastLive int64) time.Duration {
	linger, longest := t.p.acc.Lingers()
	if nextLinger == 0 && now-lastLive > int64(restAfter+longest) {
		return idleTick
	}
	pause := accum.TickInterval
	if linger > 0 {
		pause = min(pause, max(linger, time.Millisecond))
	}
	if t.p.visits.heldUp(now) {
		pause = min(pause, pollWhileHeldUp)
	}
	if nextLinger > 0 {
		pause = min(pause, max(time.Duration(nextLinger-now), 0))
	}
	return pause
}

// updateLoads tells the partitioners how long the queues are.
func (p *Producer) updateLoads() {
	p.meta.mu.Lock()
	defer p.meta.mu.Unlock()
	for _, t := range p.meta.topics {
		if t.parts.Load() != nil {
			t.updateSticky()
		}
	}
}

// tickAll makes every broker with something to wait for look at the time.
func (p *Producer) tickAll() {
	p.nowhere.tickLater()
	for _, b := range *p.brokers.Load() {
		b.tickLater()
	}
}

func (b *broker) tickLater() {
	b.ticked.Store(true)
	b.kick()
}
