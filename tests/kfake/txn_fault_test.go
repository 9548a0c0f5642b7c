package kfake

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestExpiredRecord: records that nobody acknowledged in time make the commit
// fail. After the abort the producer works on, under an epoch in which the old
// ones can not come back.
func TestExpiredRecord(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c, kring.RequestTimeout(500*time.Millisecond), kring.DeliveryTimeout(time.Second))
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		for round, name := range []string{"lost", "kept"} {
			must(t, "Begin", p.BeginTransaction())
			if round == 0 {
				var cut atomic.Bool
				cut.Store(true)
				c.ControlKey(0, func(r kmsg.Request) (kmsg.Response, error, bool) {
					c.KeepControl()
					if cut.Load() && r.(*kmsg.ProduceRequest).TransactionID != nil {
						return nil, errors.New("cut"), true
					}
					return nil, nil, false
				})
				produceSome(t, p, name, 50, &got)
				err := p.CommitTransaction(ctx)
				if !errors.Is(err, kring.ErrTransactionAbortable) || !errors.Is(err, kring.ErrDeliveryTimeout) {
					t.Errorf("Commit: %v", err)
				}
				cut.Store(false)
				must(t, "Abort", p.AbortTransaction(ctx))
				continue
			}
			produceSome(t, p, name, 50, &got)
			must(t, "Commit", p.CommitTransaction(ctx))
		}
		if n := len(got.all()); n != 100 {
			t.Errorf("%d deliveries, want 100", n)
		}
		wantCommitted(t, c, "kept")
	})
}

// TestNewEpochAfterLostConnection: a copy of a request to the coordinator may
// still lie before it. Where the epoch would stay the same, a new one is asked
// for, in the name of the present one, before the next transaction.
func TestNewEpochAfterLostConnection(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, implicit bool) {
		var renewed atomic.Int32
		c.ControlKey(22, func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			if req := r.(*kmsg.InitProducerIDRequest); req.TransactionalID != nil && req.ProducerID >= 0 && req.ProducerEpoch >= 0 {
				renewed.Add(1)
			}
			return nil, nil, false
		})
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		for _, name := range []string{"a", "b"} {
			must(t, "Begin", p.BeginTransaction())
			produceSome(t, p, name, 50, &got)
			if name == "a" {
				c.ControlKey(26, func(kmsg.Request) (kmsg.Response, error, bool) { return nil, errors.New("cut"), true })
			}
			must(t, "Commit", p.CommitTransaction(ctx))
		}
		if n := renewed.Load(); (n == 1) == implicit || n > 1 {
			t.Errorf("%d new epochs asked for, implicit adding %v", n, implicit)
		}
		wantCommitted(t, c, "a", "b")
	})
}

// TestAbortOfNothing: the transaction was begun by a request that never
// arrived, after one that was committed. There is nothing to abort, and that
// must not be the end of the producer.
func TestAbortOfNothing(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "a", 50, &got)
		must(t, "Commit", p.CommitTransaction(ctx))

		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "lost", 50, &got)
		must(t, "Flush", p.Flush(ctx)) // what was never sent needs no EndTxn
		answerEndTxn(c, kerr.InvalidTxnState.Code)
		must(t, "Abort", p.AbortTransaction(ctx))
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "b", 50, &got)
		must(t, "Commit", p.CommitTransaction(ctx))
		wantCommitted(t, c, "a", "b")
	})
}

// TestQuickAborts: an abort may overtake what it aborts at any moment, beside
// the requests that add its partitions.
func TestQuickAborts(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		for i := range 30 {
			must(t, "Begin", p.BeginTransaction())
			produceSome(t, p, "lost", 5, &got)
			time.Sleep(time.Duration(i%6) * 100 * time.Microsecond)
			must(t, "Abort", p.AbortTransaction(ctx))
			if i%3 == 0 {
				must(t, "Begin", p.BeginTransaction())
				must(t, "Produce", p.Produce(ctx, kring.Record{Topic: "t", Value: fmt.Append(nil, i)}, got.take))
				must(t, "Commit", p.CommitTransaction(ctx))
			}
		}
		if values := committed(t, c); len(values) != 10 {
			t.Errorf("%d records are seen, want 10: %v", len(values), values)
		}
	})
}

// TestCommitAbortableAfterUnknown: the outcome of a commit was unknown, and the
// answer to the next one is that it can only be aborted. Then it can be.
func TestCommitAbortableAfterUnknown(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "lost", 20, &got)
		must(t, "Flush", p.Flush(ctx))
		answerEndTxn(c, kerr.UnknownServerError.Code, kerr.TransactionAbortable.Code)
		if err := p.CommitTransaction(ctx); !errors.Is(err, kring.ErrTransactionUnknown) {
			t.Fatalf("first commit: %v", err)
		}
		if err := p.CommitTransaction(ctx); !errors.Is(err, kring.ErrTransactionAbortable) {
			t.Fatalf("second commit: %v", err)
		}
		must(t, "Abort", p.AbortTransaction(ctx))
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "b", 50, &got)
		must(t, "Commit", p.CommitTransaction(ctx))
		wantCommitted(t, c, "b")
	})
}

// TestDrainInTransaction: what it has sent belongs to the transaction, so its
// fate has to be decided first.
func TestDrainInTransaction(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		if err := p.Warmup(ctx, "t"); !errors.Is(err, kring.ErrTransactionState) {
			t.Errorf("Warmup before InitTransactions: %v", err)
		}
		must(t, "Init", p.InitTransactions(ctx))
		must(t, "Warmup", p.Warmup(ctx, "t"))
		var got results
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "a", 50, &got)
		if _, err := p.Drain(ctx); !errors.Is(err, kring.ErrTransactionState) {
			t.Fatalf("Drain: %v", err)
		}
		must(t, "Commit", p.CommitTransaction(ctx))
		left, err := p.Drain(ctx)
		must(t, "Drain", err)
		if len(left) != 0 {
			t.Errorf("%d records handed back", len(left))
		}
		wantCommitted(t, c, "a")
	})
}

// TestCommitWithoutTime: a commit whose context is over before the coordinator is
// asked has not been asked for, and says so: the transaction can still be aborted.
func TestCommitWithoutTime(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		ended, cancel := context.WithCancel(ctx)
		cancel()
		var got results
		for _, name := range []string{"aborted", "committed"} {
			must(t, "Begin", p.BeginTransaction())
			produceSome(t, p, name, 50, &got)
			must(t, "Flush", p.Flush(ctx))
			if err := p.CommitTransaction(ended); !errors.Is(err, context.Canceled) || errors.Is(err, kring.ErrTransactionUnknown) {
				t.Errorf("Commit: %v", err)
			}
			if name == "aborted" {
				must(t, "Abort", p.AbortTransaction(ctx))
			} else {
				must(t, "Commit", p.CommitTransaction(ctx))
			}
		}
		wantCommitted(t, c, "committed")
	})
}
