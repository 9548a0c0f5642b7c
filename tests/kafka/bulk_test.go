//go:build kafka

package kafka_test

import (
	"testing"

	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

// TestBulk sends records of 0 B to 900 KB, with keys, headers, nulls and
// explicit timestamps, from 8 goroutines to 12 partitions, and has every one of
// them read back by foreign clients.
func TestBulk(t *testing.T) {
	for _, tc := range []struct {
		name  string
		nodes int
	}{
		{name: "one-node", nodes: 1},
		{name: "three-nodes", nodes: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := need(t, tc.nodes)
			plan := newPlan(t, c.topic(t, 12), 12, *records)
			book := drive(t, c, *client, plan, ledger.Pace{}, senders.Options{})
			if got := book.Outcomes()["acked"]; got != *records {
				t.Errorf("%d of %d records were acknowledged", got, *records)
			}
			verify(t, c, book, ledger.Rules{ReportedTimestamps: true})
		})
	}
}
