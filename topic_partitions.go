package kring

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Partitions says how many partitions the topic has, and which of them have a
// leader, by the last answer of the cluster. A topic that is not known yet is
// asked for, which may create it, as Produce would; that ends with ctx or after
// MaxBlock, and in a callback it is ErrInCallback. Java: partitionsFor.
func (t *Topic) Partitions(ctx context.Context) (Partitions, error) {
	if err := checkTopic(t.name); err != nil {
		return Partitions{}, err
	}
	parts, err := t.awaitKnown(orBackground(ctx))
	if err != nil {
		return Partitions{}, err
	}
	return partitionsOf(parts, t.p.nowhere), nil
}

// partitionsOf is what is known of a topic's partitions; nowhere leads those
// without a leader.
func partitionsOf(parts []*partition, nowhere *broker) Partitions {
	known := Partitions{count: int32(len(parts))}
	for i, q := range parts {
		if q.leader.Load() != nowhere {
			known.available = append(known.available, int32(i))
		}
	}
	return known
}

// awaitKnown is await for who has no record.
func (t *Topic) awaitKnown(ctx context.Context) ([]*partition, error) {
	p := t.p
	_, ms := p.clock.Read()
	t.lastUsed.Store(ms)
	timer := time.NewTimer(p.cfg.maxBlock)
	defer timer.Stop()
	for first := true; ; first = false {
		if p.closing.Load() {
			return nil, ErrClosed
		}
		if parts := t.parts.Load(); parts != nil {
			return *parts, nil
		}
		changed := p.meta.want(t)
		if parts := t.parts.Load(); parts != nil { // answered before want
			return *parts, nil
		}
		if last := p.meta.lastErr.Load(); last != nil && errors.Is(*last, ErrAuthentication) {
			return nil, *last
		}
		if !first {
			if err := t.refused(); err != nil {
				return nil, err
			}
		}
		if p.inCallback() {
			return nil, ErrInCallback
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
			return nil, ErrClosed
		case <-p.closedEarly():
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, t.stillUnknown(fmt.Errorf("kring: %w", ctx.Err()))
		case <-timer.C:
			return nil, t.stillUnknown(fmt.Errorf("%w of %v", ErrMaxBlock, p.cfg.maxBlock))
		}
	}
}

// stillUnknown is why a wait for t ended, and what is known of the reason.
func (t *Topic) stillUnknown(end error) error {
	why := t.unknown()
	if errors.Is(why, UnknownTopicOrPartition) {
		why = andAlso{why, ErrUnknownTopic}
	}
	return fmt.Errorf("%w: %w", end, why)
}
