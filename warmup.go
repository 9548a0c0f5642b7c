package kring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// warmupLook is how often Warmup looks whether what it waits for is there.
const warmupLook = 2 * time.Millisecond

// Warmup does beforehand what the first records of the topics would wait for:
// their metadata, the producer id if the producer is idempotent, and a
// connection, with TLS and SASL, to the leader of every partition. It returns
// nil when all of it is there. If ctx ends before, or a topic can not be had, its
// error names what is missing and why; what was reached stays, and the producer
// can be used all the same. MaxBlock does not count. Topics that nobody produces
// to are forgotten after MetadataMaxIdle, and connections close after
// ConnectionsMaxIdle. In a callback it returns ErrInCallback.
func (p *Producer) Warmup(ctx context.Context, topics ...string) error {
	if p.inCallback() {
		return ErrInCallback
	}
	ctx = orBackground(ctx)
	handles := make([]*Topic, 0, len(topics))
	for _, name := range topics {
		if err := checkTopic(name); err != nil {
			return err
		}
		t := p.topic(name)
		if !slices.Contains(handles, t) {
			handles = append(handles, t)
		}
	}
	if p.cfg.idempotence {
		p.ids.request(p)
	}
	tick := time.NewTicker(warmupLook)
	defer tick.Stop()
	for {
		if p.closing.Load() {
			return ErrClosed
		}
		missing, final := p.notReady(handles)
		if len(missing) == 0 {
			return nil
		}
		if final {
			return &warmupError{missing: missing}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return &warmupError{missing: missing, ended: ctx.Err()}
		case <-p.closedEarly():
			return ErrClosed
		}
	}
}

// warmupError lists what is not ready.
type warmupError struct {
	missing []error
	ended   error // of the context; nil: waiting would not help
}

func (e *warmupError) Error() string {
	var s strings.Builder
	s.WriteString("kring: not warm")
	for i, m := range e.missing {
		if i == 0 {
			s.WriteString(": ")
		} else {
			s.WriteString("; ")
		}
		s.WriteString(strings.TrimPrefix(m.Error(), "kring: "))
	}
	if e.ended != nil {
		s.WriteString(": " + e.ended.Error())
	}
	return s.String()
}

func (e *warmupError) Unwrap() []error {
	if e.ended == nil {
		return e.missing
	}
	return append(slices.Clone(e.missing), e.ended)
}

// notReady lists what is missing and asks for it. final says that something
// will not come by waiting.
func (p *Producer) notReady(topics []*Topic) (missing []error, final bool) {
	leaders := make([]*broker, 0, 8)
	for _, t := range topics {
		hopeless, err := t.notReady(&leaders)
		if err != nil {
			missing = append(missing, err)
			final = final || hopeless
		}
	}
	if p.cfg.idempotence && p.identity.Load().ID < 0 {
		if p.txn != nil {
			return append(missing, misplaced("Warmup", "call InitTransactions first: it brings the producer id")), true
		} else if why := p.ids.fatal.Load(); why != nil {
			missing, final = append(missing, noProducerID(*why)), true
		} else {
			p.ids.request(p)
			missing = append(missing, errNoProducerID)
		}
	}
	for _, b := range leaders {
		if b.connected.Load() {
			continue
		}
		if err := b.ask(func() { b.warm() }); err != nil {
			return append(missing, err), true
		}
		err := fmt.Errorf("kring: %v (%s) is not connected", b, *b.addr.Load())
		if why := b.trouble.Load(); why != nil {
			err = fmt.Errorf("%w: %w", err, *why)
			final = final || errors.Is(*why, ErrAuthentication)
		}
		missing = append(missing, err)
	}
	return missing, final
}

var errNoProducerID = errors.New("kring: the producer id is not here yet")

// warm connects, under the role, although there is nothing to send.
func (b *broker) warm() {
	if b.conn == nil && !b.stopping.Load() {
		b.connect()
	}
}

// notReady says what t misses, and adds its leaders to the list.
func (t *Topic) notReady(leaders *[]*broker) (hopeless bool, err error) {
	p := t.p
	parts := t.parts.Load()
	if parts == nil {
		_, ms := p.clock.Read()
		t.lastUsed.Store(ms)
		p.meta.want(t)
		if err := t.refused(); err != nil {
			return true, err
		}
		err := t.unknown()
		return errors.Is(err, ErrAuthentication), err
	}
	for _, q := range *parts {
		b := q.leader.Load()
		if b == p.nowhere {
			p.meta.refresh()
			err = fmt.Errorf("kring: partition %d of topic %q has no leader", q.Index, t.name)
		} else if !slices.Contains(*leaders, b) {
			*leaders = append(*leaders, b)
		}
	}
	return false, err
}

// unknown is why nothing is known of t.
func (t *Topic) unknown() error {
	p := t.p
	p.meta.mu.Lock()
	answer := t.state.err
	p.meta.mu.Unlock()
	switch last := p.meta.lastErr.Load(); {
	case last != nil:
		return fmt.Errorf("kring: topic %q is not known: %w", t.name, *last)
	case answer != nil:
		return fmt.Errorf("kring: topic %q is not known: %w", t.name, answer)
	}
	return fmt.Errorf("kring: topic %q is not known: no broker has answered yet", t.name)
}
