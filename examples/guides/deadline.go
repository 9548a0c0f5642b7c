package guides

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring"
)

// fresh is delivery-semantics.md's record that is worth nothing after some time.
func fresh(ctx context.Context, p *kring.Producer, symbol, quote []byte, dropped *atomic.Int64) error {
	r := kring.Record{Topic: "quotes", Key: symbol, Value: quote, Deadline: time.Now().Add(200 * time.Millisecond)}
	err := p.Produce(ctx, r, func(d kring.Delivery) {
		if errors.Is(d.Err, kring.ErrRecordDeadline) {
			dropped.Add(1) // certainly not in the log
		}
	})
	return err
}
