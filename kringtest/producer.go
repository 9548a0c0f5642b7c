package kringtest

import (
	"context"

	"github.com/kring-go/kring"
)

// Producer is what a Recorder and a *kring.Producer have in common. A service
// should rather declare an interface of its own, with the methods that it uses;
// see the package's documentation.
type Producer interface {
	// Produce hands over one record, and waits where there is no room.
	Produce(ctx context.Context, r kring.Record, cb kring.Callback) error
	// TryProduce is Produce that returns kring.ErrBufferFull instead of waiting.
	TryProduce(r kring.Record, cb kring.Callback) error
	// ProduceSync produces one record and waits for its outcome.
	ProduceSync(ctx context.Context, r kring.Record) (kring.Delivery, error)
	// Flush waits for the outcomes of what was produced before the call.
	Flush(ctx context.Context) error
	// Close waits for all outcomes and accepts nothing any more.
	Close(ctx context.Context) error
}

var (
	_ Producer = (*kring.Producer)(nil)
	_ Producer = (*Recorder)(nil)
)
