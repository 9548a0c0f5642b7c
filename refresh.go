package kring

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kring-go/kring/cluster"
)

// refreshMetadata is the metadata goroutine: it asks when somebody wants to
// know, when an answer was incomplete, and when the last one is old. Requests
// are spaced by retry.backoff.ms, growing while nothing changes; a topic that
// was never answered does not wait (KIP-526).
func (p *Producer) refreshMetadata() {
	m := &p.meta
	timer := time.NewTimer(p.metadataAge())
	defer timer.Stop()
	var last time.Time
	failures := 0
	for {
		select {
		case <-m.wake:
		case <-timer.C:
		case <-p.ctx.Done():
			return
		}
		_, ms := p.clock.Read() // the coarse time stands still while nothing is produced
		names, fresh := p.wantedTopics(ms - p.cfg.metadataMaxIdle.Milliseconds())
		if len(names) == 0 {
			m.asked.Store(false)
			timer.Reset(p.metadataAge())
			continue
		}
		if wait := p.metadataBackoff(max(failures, 1)) - time.Since(last); wait > 0 && !fresh {
			timer.Reset(wait)
			continue
		}
		m.asked.Store(false)
		again, err := p.askMetadata(names)
		last = time.Now()
		switch {
		case err != nil, again:
			failures++
			timer.Reset(p.metadataBackoff(failures))
		default:
			// Somebody may have asked while the answer was on its way.
			failures = 0
			timer.Reset(p.metadataAge())
		}
	}
}

func (p *Producer) metadataBackoff(failures int) time.Duration {
	return cluster.Backoff(p.cfg.retryBackoff, p.cfg.retryBackoffMax, failures, rand.Float64)
}

func (p *Producer) askMetadata(names []string) (again bool, err error) {
	md, err := p.client.Metadata(p.ctx, names)
	if err != nil {
		if p.ctx.Err() == nil {
			p.metadataFailed(err)
		}
		return false, err
	}
	p.meta.lastErr.Store(nil)
	p.stats.metadataUpdates.Add(1)
	p.telemetry.offered()
	return p.apply(md), nil
}

// await waits until t's partitions are known.
func (t *Topic) await(ctx context.Context, budget *blockBudget, wait bool, least int32) (*[]*partition, error) {
	p := t.p
	if err := checkTopic(t.name); err != nil {
		return nil, err
	}
	_, ms := p.clock.Read()
	t.lastUsed.Store(ms)
	if p.cfg.idempotence {
		p.ids.request(p) // beside the metadata, not after it
	}
	start := time.Now()
	defer func() { budget.spent += time.Since(start) }()
	for first := true; ; first = false {
		if p.closing.Load() {
			return nil, ErrClosed
		}
		changed := p.meta.want(t)
		if parts := t.parts.Load(); parts != nil && len(*parts) > int(least) {
			return parts, nil
		}
		if err := t.unauthenticated(); err != nil {
			return nil, err
		}
		if !first || !wait { // who never waits is told the last answer
			if err := t.refused(); err != nil {
				return nil, err
			}
		}
		if !wait {
			return nil, ErrMetadataPending
		}
		if p.inCallback() {
			return nil, ErrInCallback
		}
		if err := t.sleep(ctx, changed, budget, budget.left()-time.Since(start), least); err != nil {
			return nil, err
		}
	}
}

// sleep waits for the next answer about t.
func (t *Topic) sleep(ctx context.Context, changed <-chan struct{}, budget *blockBudget, left time.Duration, least int32) error {
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-t.p.ctx.Done():
		return ErrClosed
	case <-t.p.closedEarly():
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("kring: record to topic %q was not accepted: %w", t.name, ctx.Err())
	case <-timer.C:
		return t.blockedTooLong(budget, least)
	}
}

// refused is the answer that makes waiting for t pointless.
func (t *Topic) refused() error {
	t.p.meta.mu.Lock()
	defer t.p.meta.mu.Unlock()
	err := t.state.err
	var code KafkaError
	if !errors.As(err, &code) || code.Retriable() {
		return nil
	}
	if code == InvalidTopicException {
		return fmt.Errorf("%w: %q: %w", ErrInvalidTopic, t.name, err)
	}
	return &ProduceError{Topic: t.name, Partition: -1, Broker: -1, Code: int16(code), Certainty: NotPersisted, Err: err}
}

// blockedTooLong is the error after max.block.ms, or the record's deadline, with
// the reason as far as it is known.
func (t *Topic) blockedTooLong(budget *blockBudget, least int32) error {
	p := t.p
	if parts := t.parts.Load(); parts != nil {
		return andAlso{fmt.Errorf("%w: topic %q has %d partitions and no partition %d, also not after %v: the record was not accepted",
			ErrInvalidPartition, t.name, len(*parts), least, budget.limit), budget.over()}
	}
	p.meta.mu.Lock()
	answer := t.state.err
	p.meta.mu.Unlock()
	switch last := p.meta.lastErr.Load(); {
	case last != nil:
		return fmt.Errorf("%w: topic %q is not known after %v, the record was not accepted: %w", budget.over(), t.name, budget.limit, *last)
	case answer != nil:
		return andAlso{fmt.Errorf("%w: %q, also not known after %v, the record was not accepted: %w; create it, or let the brokers create topics (auto.create.topics.enable)",
			ErrUnknownTopic, t.name, budget.limit, answer), budget.over()}
	}
	return fmt.Errorf("%w: topic %q is not known after %v: no broker has answered yet; the record was not accepted", budget.over(), t.name, budget.limit)
}

// awaitFor waits until t is known, and has the partition that a record names.
func (t *Topic) awaitFor(ctx context.Context, budget *blockBudget, wait bool, to Target) (*[]*partition, error) {
	parts := t.parts.Load()
	if parts == nil || t.p.closing.Load() {
		var err error
		if parts, err = t.await(ctx, budget, wait, 0); err != nil {
			return nil, err
		}
	}
	if target, explicit, valid := to.explicit(); explicit && (!valid || int(target) >= len(*parts)) {
		return t.awaitPartition(ctx, budget, wait, target)
	}
	return parts, nil
}

// awaitPartition waits until t has the named partition, as Java does: topics
// grow, and this client may not have heard of it yet.
func (t *Topic) awaitPartition(ctx context.Context, budget *blockBudget, wait bool, target int32) (*[]*partition, error) {
	if target < 0 {
		return nil, fmt.Errorf("%w: partition %d of topic %q: partitions are numbered from 0", ErrInvalidPartition, target, t.name)
	}
	if parts, err := t.await(ctx, budget, false, target); err == nil {
		return parts, nil
	}
	if !wait {
		if parts := t.parts.Load(); parts != nil {
			return nil, fmt.Errorf("%w: topic %q has no partition %d, it has %d", ErrInvalidPartition, t.name, target, len(*parts))
		}
		return nil, ErrMetadataPending
	}
	return t.await(ctx, budget, true, target)
}
