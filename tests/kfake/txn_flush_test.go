package kfake

import (
	"errors"
	"testing"

	"github.com/kring-go/kring"
	"github.com/twmb/franz-go/pkg/kfake"
)

// TestTransactionsFlush: with ManualFlush too, a commit sends what is there, and
// an abort ends what is there.
func TestTransactionsFlush(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c, kring.ManualFlush())
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		for _, name := range []string{"a", "b", "c", "d"} {
			must(t, "Begin", p.BeginTransaction())
			produceSome(t, p, name, 50, &got)
			switch name {
			case "b":
				must(t, "Flush", p.Flush(ctx))
				must(t, "Abort", p.AbortTransaction(ctx))
			case "c":
				must(t, "Abort", p.AbortTransaction(ctx))
			default:
				must(t, "Commit", p.CommitTransaction(ctx))
			}
		}
		unsent := 0
		for _, err := range got.all() {
			if errors.Is(err, kring.ErrTransactionAborted) {
				unsent++
			}
		}
		if n := len(got.all()); n != 200 || unsent != 50 {
			t.Errorf("%d deliveries, %d of what was never sent; want 200 and 50", n, unsent)
		}
		wantCommitted(t, c, "a", "d")
	})
}
