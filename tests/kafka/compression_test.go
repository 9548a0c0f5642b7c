//go:build kafka

package kafka_test

import (
	"testing"

	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

// TestCompression sends a mixed load, from empty records to 900 KB, with each
// codec. Both foreign clients read it back, and the broker has decompressed
// every batch before it took it.
func TestCompression(t *testing.T) {
	for _, codec := range []string{"gzip", "snappy", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			c := need(t, 1)
			plan := newPlan(t, c.topic(t, 12), 12, 30_000)
			plan.Text = true
			verify(t, c, drive(t, c, *client, plan, ledger.Pace{}, senders.Options{Compression: codec}), ledger.Rules{})
		})
	}
}
