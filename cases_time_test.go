package kring_test

import (
	"testing"
	"time"

	"github.com/kring-go/kring"
)

// TestLogAppendTime: where the topic stamps records itself (LogAppendTime), the
// delivery has the broker's time, and else the record's own.
func TestLogAppendTime(t *testing.T) {
	const stamped = 1_700_000_000_123
	own := time.UnixMilli(1_600_000_000_456)
	for name, want := range map[string]int64{"LogAppendTime": stamped, "CreateTime": own.UnixMilli()} {
		t.Run(name, func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				b.produce = func(c *wireConn, q *wireRequest) {
					resp := b.success(q)
					if want == stamped {
						resp.Topics[0].Partitions[0].LogAppendTime = stamped
					}
					c.answer(q.correlation, resp)
				}
			})
			p := caseProducer(t, []string{b.addr()})
			d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Timestamp: own})
			if err != nil || d.Timestamp != want {
				t.Errorf("timestamp %d, error %v; want %d", d.Timestamp, err, want)
			}
		})
	}
}
