package guides

import (
	"context"
	"errors"
	"fmt"

	"github.com/kring-go/kring"
)

// transactional is transactions.md's producer.
func transactional(ctx context.Context, instance string, addrs ...string) (*kring.Producer, error) {
	p, err := kring.New(
		kring.Brokers(addrs...),
		kring.TransactionalID("billing-"+instance), // the same after every restart, and nobody else's
	)
	if err != nil {
		return nil, err
	}
	if err := p.InitTransactions(ctx); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

// inTransaction is transactions.md's whole life of one transaction. retry says
// that all of it should be done again, by this producer.
func inTransaction(ctx context.Context, p *kring.Producer, work func() error) (retry bool, err error) {
	if err := p.BeginTransaction(); err != nil {
		return false, err
	}
	if err = work(); err == nil {
		err = p.CommitTransaction(ctx)
	}
	for errors.Is(err, kring.ErrTransactionUnknown) && ctx.Err() == nil {
		err = p.CommitTransaction(ctx) // nobody has answered: ask again
	}
	switch {
	case err == nil:
		return false, nil
	case errors.Is(err, kring.ErrTransactionFatal), errors.Is(err, kring.ErrTransactionUnknown):
		return false, err // close the producer
	}
	if abort := p.AbortTransaction(ctx); abort != nil {
		return false, fmt.Errorf("%w, and then: %w", err, abort)
	}
	return true, err
}

// consumed is what transactions.md's loop gets from its consumer.
type consumed struct {
	key, value []byte
	partition  int32
	offset     int64
	epoch      int32
}

// transform is transactions.md's step from one topic to another.
func transform(ctx context.Context, p *kring.Producer, batch []consumed, group kring.GroupMetadata) (retry bool, err error) {
	return inTransaction(ctx, p, func() error {
		next := map[kring.TopicPartition]kring.Offset{}
		for _, c := range batch {
			if err := p.Produce(ctx, kring.Record{Topic: "bills", Key: c.key, Value: c.value}, nil); err != nil {
				return err
			}
			next[kring.TopicPartition{Topic: "orders", Partition: c.partition}] = kring.Offset{
				Offset:      c.offset + 1, // of the next record to read
				LeaderEpoch: new(c.epoch),
			}
		}
		return p.SendOffsets(ctx, next, group)
	})
}
