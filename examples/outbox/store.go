package outbox

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
)

// Row is one event that waits to be sent.
type Row struct {
	ID      int64 // grows in the order in which rows have to go out
	Topic   string
	Key     []byte
	Payload []byte
}

// Store is the outbox table. In SQL:
//
//	Pending     SELECT id, topic, key, payload FROM outbox WHERE state = 'new' ORDER BY id LIMIT ?
//	MarkSent    UPDATE outbox SET state = 'sent' WHERE id IN (…), or DELETE
//	MarkFailed  UPDATE outbox SET state = 'failed', reason = ? WHERE id = ?
type Store interface {
	// Pending returns the oldest rows that have no mark, at most limit.
	Pending(ctx context.Context, limit int) ([]Row, error)
	// MarkSent takes rows out of what is pending: they are in Kafka's log.
	MarkSent(ctx context.Context, ids []int64) error
	// MarkFailed takes out a row that can never be sent, so that it does not
	// come again for ever; somebody has to look at it.
	MarkFailed(ctx context.Context, id int64, reason string) error
}

// Memory is a Store without a database, for tests and for trying it out.
type Memory struct {
	mu     sync.Mutex
	rows   map[int64]Row
	failed map[int64]string
	lastID int64
}

var _ Store = (*Memory)(nil)

// NewMemory makes an empty Store.
func NewMemory() *Memory {
	return &Memory{rows: map[int64]Row{}, failed: map[int64]string{}}
}

// Add appends an event and returns its number.
func (m *Memory) Add(topic string, key, payload []byte) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID++
	m.rows[m.lastID] = Row{m.lastID, topic, slices.Clone(key), slices.Clone(payload)}
	return m.lastID
}

// Pending is that of Store.
func (m *Memory) Pending(ctx context.Context, limit int) ([]Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.SortedFunc(maps.Values(m.rows), func(a, b Row) int { return cmp.Compare(a.ID, b.ID) })
	return list[:min(limit, len(list))], ctx.Err()
}

// MarkSent is that of Store.
func (m *Memory) MarkSent(ctx context.Context, ids []int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.rows, id)
	}
	return ctx.Err()
}

// MarkFailed is that of Store.
func (m *Memory) MarkFailed(ctx context.Context, id int64, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, id)
	m.failed[id] = reason
	return ctx.Err()
}

// Failed returns the rows that can never be sent, with the reasons.
func (m *Memory) Failed() map[int64]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.failed)
}
