package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/kring-go/kring"
)

// producer is what a Relay needs of a *kring.Producer.
type producer interface {
	Produce(ctx context.Context, r kring.Record, cb kring.Callback) error
	Flush(ctx context.Context) error
}

// Relay moves rows from a Store to Kafka.
type Relay struct {
	store    Store
	producer producer
	log      *slog.Logger
	limit    int           // rows per pass
	pause    time.Duration // when nothing is pending, or a pass failed
}

// IDHeader is the header with the row's number, in decimal.
const IDHeader = "outbox-id"

// New makes a Relay that reads up to 500 rows at a time, and looks for new ones
// every 200 ms. It does not close the producer.
func New(store Store, p producer, log *slog.Logger) *Relay {
	return &Relay{store: store, producer: p, log: log, limit: 500, pause: 200 * time.Millisecond}
}

// Run relays until ctx ends. Errors are logged, and what failed is tried again.
func (r *Relay) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		sent, err := r.Pass(ctx)
		if err != nil && ctx.Err() == nil {
			r.log.Error("outbox: rows are left for the next pass", "error", err)
		}
		if err == nil && sent == r.limit {
			timer.Reset(0) // there is more
		} else {
			timer.Reset(r.pause)
		}
	}
}

// Pass relays the oldest pending rows once and returns how many were delivered
// and marked. After an error the other rows are pending still; those whose
// outcome is not known will be produced again.
func (r *Relay) Pass(ctx context.Context) (sent int, err error) {
	rows, err := r.store.Pending(ctx, r.limit)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	var results results
	var problems []error
	for i := range rows {
		err := r.producer.Produce(ctx, record(&rows[i]), results.add)
		if err == nil {
			continue
		}
		if hopeless(err) {
			problems = append(problems, r.store.MarkFailed(ctx, rows[i].ID, err.Error()))
			continue
		}
		// No memory, no cluster, or no time: those behind would fail too.
		problems = append(problems, err)
		break
	}
	// Flush waits for the callbacks, and spares the rows their linger.
	problems = append(problems, r.producer.Flush(ctx))
	delivered, failed := results.take()
	for id, err := range failed {
		if hopeless(err) {
			problems = append(problems, r.store.MarkFailed(ctx, id, err.Error()))
		} else {
			problems = append(problems, err)
		}
	}
	if len(delivered) > 0 {
		// What was delivered is marked even if ctx has ended: it saves duplicates.
		mark, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := r.store.MarkSent(mark, delivered); err != nil {
			return 0, errors.Join(append(problems, fmt.Errorf("outbox: %d delivered rows are not marked and will be sent again: %w", len(delivered), err))...)
		}
	}
	return len(delivered), errors.Join(problems...)
}

// record is a row as Kafka gets it.
func record(row *Row) kring.Record {
	return kring.Record{
		Topic: row.Topic, Key: row.Key, Value: row.Payload,
		Headers: []kring.Header{{Key: IDHeader, Value: strconv.AppendInt(nil, row.ID, 10)}},
		Tag:     uint64(row.ID),
	}
}

// hopeless reports whether a row can never be sent as it is. What may pass, and
// what is not known, is not.
func hopeless(err error) bool {
	for _, reason := range []error{
		kring.ErrRecordTooLarge, kring.ErrInvalidRecord, kring.ErrInvalidTopic, kring.ErrInvalidPartition,
	} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// results collects the outcomes of a pass. Callbacks may come after the pass has
// given up, so it is not reused.
type results struct {
	mu        sync.Mutex
	delivered []int64
	failed    map[int64]error
}

// add is the callback of every row: the tag says which one it is.
func (r *results) add(d kring.Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Err == nil {
		r.delivered = append(r.delivered, int64(d.Tag))
		return
	}
	if r.failed == nil {
		r.failed = map[int64]error{}
	}
	r.failed[int64(d.Tag)] = d.Err
}

// take returns what is known, and forgets it.
func (r *results) take() (delivered []int64, failed map[int64]error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delivered, failed = r.delivered, r.failed
	r.delivered, r.failed = nil, nil
	return delivered, failed
}
