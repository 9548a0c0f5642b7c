package kringotel

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/kring-go/kring"
)

// sent is the one number that the conventions have a name for.
func (r *reading) sent(s *kring.Stats) {
	operation := semconv.MessagingOperationName("send")
	r.sum("messaging.client.sent.messages", "{message}", "Number of messages producer attempted to send to the broker.",
		r.point(int64(s.AckedRecords), r.with(operation)),
		r.point(int64(s.FailedRecords), r.with(operation, semconv.ErrorTypeOther)))
}

func (r *reading) counters(s *kring.Stats) {
	for _, c := range []struct {
		name, unit, help string
		n                uint64
	}{
		{"requests", "{request}", "Produce requests written, retries included.", s.Requests},
		{"batches", "{batch}", "Batches in Produce requests, retries included.", s.Batches},
		{"batch.retries", "{batch}", "Batches that were sent, or tried, once more.", s.Retries},
		{"batch.splits", "{batch}", "Batches cut in two after MESSAGE_TOO_LARGE.", s.Splits},
		{"epoch.bumps", "{bump}", "Sequences restarted under a new epoch.", s.EpochBumps},
		{"sequences.lost", "{sequence}", "Times that a broker had forgotten what this producer wrote: acknowledged records may be lost.", s.SequencesLost},
		{"disconnects", "{connection}", "Connections that failed with work on them.", s.Disconnects},
		{"throttles", "{response}", "Answers that asked for silence, as quotas do.", s.Throttles},
		{"blocked.calls", "{call}", "Produce calls that had to wait for buffer memory or MaxBufferedRecords.", s.BlockedCalls},
		{"metadata.answers", "{response}", "Answers to metadata requests.", s.Metadata},
		{"callback.panics", "{callback}", "Delivery callbacks that panicked.", s.CallbackPanics},
		{"callback.stuck", "{callback}", "Delivery callbacks that did not return within five seconds.", s.StuckCallbacks},
		{"compressor.input", "By", "Bytes of records that went into the compressor.", s.RecordBytes},
		{"compressor.output", "By", "Bytes that are sent in their place.", s.CompressedBytes},
	} {
		r.sum("kring.producer."+c.name, c.unit, c.help, r.point(int64(c.n), r.with()))
	}
}

func (r *reading) gauges(s *kring.Stats) {
	for _, g := range []struct {
		name, unit, help string
		n                int64
	}{
		{"buffer.size", "By", "Buffer memory for records without an outcome, free or not.", s.BufferTotal},
		{"buffer.free", "By", "Buffer memory that no batch holds.", s.BufferFree},
		{"buffer.waiting", "{call}", "Produce calls that wait for buffer memory or MaxBufferedRecords now.", int64(s.BufferWaiting)},
		{"batch.incomplete", "{batch}", "Batches with accepted records and no outcome.", s.IncompleteBatch},
		{"brokers.connected", "{broker}", "Brokers with an open connection for producing.", int64(s.ConnectedBrokers)},
		{"connections", "{connection}", "Open connections for producing.", int64(s.Connections)},
		{"brokers.known", "{broker}", "Brokers that the metadata names.", int64(s.Brokers)},
	} {
		r.metrics = append(r.metrics, metricdata.Metrics{
			Name: "kring.producer." + g.name, Unit: g.unit, Description: g.help,
			Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{r.point(g.n, r.with())}},
		})
	}
}

// depths are a gauge of each connection.
func (r *reading) depths(s *kring.Stats) {
	var points []metricdata.DataPoint[int64]
	for _, d := range s.Depths {
		points = append(points, r.point(int64(d.Depth),
			r.with(attribute.Int("kring.broker.id", int(d.Broker)), attribute.Int("kring.broker.connection", d.Connection))))
	}
	r.metrics = append(r.metrics, metricdata.Metrics{
		Name: "kring.producer.requests.limit", Unit: "{request}",
		Description: "Requests that a connection may have in flight now; it follows the broker.",
		Data:        metricdata.Gauge[int64]{DataPoints: points},
	})
}
