package kring

import (
	"errors"
	"fmt"
)

// metadataFailed remembers why no broker has answered. Brokers that refuse this
// client will go on to do so, and callers that wait for a topic are told.
func (p *Producer) metadataFailed(err error) {
	err = wrongCluster(authError(err))
	before := p.meta.lastErr.Swap(&err)
	if !errors.Is(err, ErrAuthentication) {
		p.log.Warn("kring: no broker answers a metadata request", "error", err)
		return
	}
	if before == nil || (*before).Error() != err.Error() {
		p.log.Error("kring: the brokers refuse this client, or it does not trust them", "error", err)
	}
	p.meta.tellWaiting()
}

// tellWaiting makes every caller that waits for a topic look again.
func (m *metadata) tellWaiting() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.topics {
		t.state.tell()
	}
}

// unauthenticated is why waiting for t is pointless at the moment: the last
// attempt to get metadata failed for good.
func (t *Topic) unauthenticated() error {
	last := t.p.meta.lastErr.Load()
	if last == nil || !errors.Is(*last, ErrAuthentication) {
		return nil
	}
	return fmt.Errorf("%w (the record to topic %q was not accepted)", *last, t.name)
}

// refusal notes in the log that a broker refuses this client while others may
// not, and marks the error.
func (b *broker) refusal(err error) error {
	marked := wrongCluster(authError(err))
	if errors.Is(marked, ErrAuthentication) {
		b.log.Error("kring: a broker refuses this client, or it does not trust the broker", "broker", b.id, "error", err)
	}
	return marked
}
