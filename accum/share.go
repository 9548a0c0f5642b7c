package accum

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring/slab"
)

// Share is a bulkhead: a part of the memory that a topic, or the partitions of a
// broker, can not exceed, so that one that stands still leaves the rest to the
// others. It is counted in slots, each batch at least one.
//
//	openBatch ─take─► tokens (at most so many) ─► slots ─► batch … outcome ─giveBack─►
//
// Who waits is served in the order of coming (turn), and makes the open batches
// of the share ready, as a shortage of the whole memory does:
//
//	S1 add waiting ....... then S2; opened() looks at it after O2
//	S2 seal what is open . sees what was published before S1
type Share struct {
	acc     *Accumulator
	tokens  chan struct{} // one for each slot in use
	turn    chan struct{} // held by the one who may wait for tokens
	waiting atomic.Int32
}

// ErrShare says that a share is used up. It is a slab.ErrTimeout, too: the
// caller may wait.
const ErrShare shareError = "accum: share of the memory is used up"

type shareError string

func (e shareError) Error() string { return string(e) }

func (shareError) Is(target error) bool { return target == slab.ErrTimeout }

// NewShare makes a share of so many bytes, of one slot at least; nil, which is
// no limit, for 0.
func (a *Accumulator) NewShare(bytes int64) *Share {
	if bytes <= 0 {
		return nil
	}
	slot := int64(a.slab.SlotSize())
	slots := min(bytes/slot, int64(a.slab.Slots()))
	return &Share{acc: a, tokens: make(chan struct{}, max(slots, 1)), turn: make(chan struct{}, 1)}
}

// Used is how many bytes of the memory batches of the share have, and of how
// many they may have.
func (s *Share) Used() (used, total int64) {
	if s == nil {
		return 0, 0
	}
	slot := int64(s.acc.slab.SlotSize())
	return int64(len(s.tokens)) * slot, int64(cap(s.tokens)) * slot
}

func (s *Share) pressed() bool { return s != nil && s.waiting.Load() > 0 }

// take gets n slots' worth of the share, and waits up to wait.
func (s *Share) take(ctx context.Context, n int, wait time.Duration) error {
	if s == nil {
		return nil
	}
	if n > cap(s.tokens) {
		return slab.ErrTooLarge
	}
	if s.waiting.Load() == 0 && s.tryTake(n) {
		return nil
	}
	if wait <= 0 {
		s.relieve()
		return ErrShare
	}
	s.waiting.Add(1) // S1
	defer s.waiting.Add(-1)
	s.relieve() // S2
	timer := time.NewTimer(wait)
	defer timer.Stop()
	if err := s.wait(ctx, timer, s.turn); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	for got := range n {
		if err := s.wait(ctx, timer, s.tokens); err != nil {
			s.giveBack(got)
			return err
		}
	}
	return nil
}

// wait puts one token into c.
func (s *Share) wait(ctx context.Context, timer *time.Timer, c chan struct{}) error {
	select {
	case c <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrShare
	case <-ctx.Done():
		return ctx.Err()
	case <-s.acc.refused:
		return slab.ErrClosed
	}
}

func (s *Share) tryTake(n int) bool {
	for got := range n {
		select {
		case s.tokens <- struct{}{}:
		default:
			s.giveBack(got)
			return false
		}
	}
	return true
}

func (s *Share) giveBack(n int) {
	if s == nil {
		return
	}
	for range n {
		<-s.tokens
	}
}

// relieve seals what is open of the share.
func (s *Share) relieve() {
	for _, p := range s.acc.Partitions() {
		if p.topic.share == s || p.brokerShare.Load() == s {
			p.SealOpen()
		}
	}
}

// acquire is Accumulator.acquire within the shares of p. Where there are any,
// nothing is small: they are counted in slots.
func (p *Partition) acquire(ctx context.Context, size int, wait time.Duration, small bool) (*Batch, error) {
	shares := [2]*Share{p.topic.share, p.brokerShare.Load()}
	a := p.acc
	if shares[0] == nil && shares[1] == nil {
		b, err := a.acquire(ctx, size, wait, small)
		if err == nil && b.shares != shares {
			b.shares = shares
		}
		return b, err
	}
	n := a.slots(size)
	until := a.cfg.Clock.Now() + int64(wait)
	for i, s := range shares {
		if err := s.take(ctx, n, wait); err != nil {
			for _, taken := range shares[:i] {
				taken.giveBack(n)
			}
			return nil, err
		}
		wait = max(time.Duration(until-a.cfg.Clock.Now()), 0)
	}
	b, err := a.acquire(ctx, size, wait, false)
	if err != nil {
		for _, s := range shares {
			s.giveBack(n)
		}
		return nil, err
	}
	b.shares = shares
	return b, nil
}

// leaveShares gives back what b took from its shares. It comes before b's
// memory goes home.
func (b *Batch) leaveShares() {
	for _, s := range b.shares {
		s.giveBack(1 + len(b.chain))
	}
}

// IsShare says whether err is about a share, and not about the whole memory.
func IsShare(err error) bool { return errors.Is(err, ErrShare) }
