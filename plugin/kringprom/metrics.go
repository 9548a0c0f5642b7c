package kringprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
)

// add makes every metric, named with the prefix. The help of a family says what
// its number means to whoever is on call.
func (c *Collector) add(prefix string, labels Labels) {
	counter := func(name, help string, read func(*kring.Stats) uint64) {
		c.one(prometheus.CounterValue, prefix+name, help, labels, func(s *kring.Stats) float64 { return float64(read(s)) })
	}
	gauge := func(name, help string, read func(*kring.Stats) int64) {
		c.one(prometheus.GaugeValue, prefix+name, help, labels, func(s *kring.Stats) float64 { return float64(read(s)) })
	}

	counter("requests_total", "Produce requests written, retries included.",
		func(s *kring.Stats) uint64 { return s.Requests })
	counter("batches_total", "Batches in Produce requests, retries included.",
		func(s *kring.Stats) uint64 { return s.Batches })

	records := prometheus.NewDesc(prefix+"records_total",
		"Records with an outcome: acked ones are in the log, failed ones are not or may not be.",
		[]string{"outcome"}, labels)
	c.metrics = append(c.metrics,
		metric{records, prometheus.CounterValue, []string{"acked"}, func(s *kring.Stats) float64 { return float64(s.AckedRecords) }},
		metric{records, prometheus.CounterValue, []string{"failed"}, func(s *kring.Stats) float64 { return float64(s.FailedRecords) }})

	counter("batch_retries_total", "Batches that were sent, or tried, once more.",
		func(s *kring.Stats) uint64 { return s.Retries })
	counter("batch_splits_total", "Batches cut in two after MESSAGE_TOO_LARGE.",
		func(s *kring.Stats) uint64 { return s.Splits })
	counter("epoch_bumps_total", "Sequences restarted under a new epoch.",
		func(s *kring.Stats) uint64 { return s.EpochBumps })
	counter("sequences_lost_total", "Times that a broker had forgotten what this producer wrote: acknowledged records may be lost.",
		func(s *kring.Stats) uint64 { return s.SequencesLost })
	counter("disconnects_total", "Connections that failed with work on them.",
		func(s *kring.Stats) uint64 { return s.Disconnects })
	counter("throttles_total", "Answers that asked for silence, as quotas do.",
		func(s *kring.Stats) uint64 { return s.Throttles })
	counter("blocked_calls_total", "Produce calls that had to wait for buffer memory or MaxBufferedRecords.",
		func(s *kring.Stats) uint64 { return s.BlockedCalls })
	counter("metadata_answers_total", "Answers to metadata requests.",
		func(s *kring.Stats) uint64 { return s.Metadata })
	counter("callback_panics_total", "Delivery callbacks that panicked.",
		func(s *kring.Stats) uint64 { return s.CallbackPanics })
	counter("stuck_callbacks_total", "Delivery callbacks that did not return within five seconds.",
		func(s *kring.Stats) uint64 { return s.StuckCallbacks })
	counter("compressor_input_bytes_total", "Bytes of records that went into the compressor.",
		func(s *kring.Stats) uint64 { return s.RecordBytes })
	counter("compressor_output_bytes_total", "Bytes that are sent in their place.",
		func(s *kring.Stats) uint64 { return s.CompressedBytes })

	gauge("buffer_size_bytes", "Buffer memory for records without an outcome, free or not.",
		func(s *kring.Stats) int64 { return s.BufferTotal })
	gauge("buffer_free_bytes", "Buffer memory that no batch holds.",
		func(s *kring.Stats) int64 { return s.BufferFree })
	gauge("buffer_waiting_calls", "Produce calls that wait for buffer memory or MaxBufferedRecords now.",
		func(s *kring.Stats) int64 { return int64(s.BufferWaiting) })
	gauge("incomplete_batches", "Batches with accepted records and no outcome.",
		func(s *kring.Stats) int64 { return s.IncompleteBatch })
	gauge("connected_brokers", "Brokers with an open connection for producing.",
		func(s *kring.Stats) int64 { return int64(s.ConnectedBrokers) })
	gauge("open_connections", "Open connections for producing.",
		func(s *kring.Stats) int64 { return int64(s.Connections) })
	gauge("known_brokers", "Brokers that the metadata names.",
		func(s *kring.Stats) int64 { return int64(s.Brokers) })
}

// one adds a family of one metric.
func (c *Collector) one(kind prometheus.ValueType, name, help string, labels Labels, read func(*kring.Stats) float64) {
	c.metrics = append(c.metrics, metric{prometheus.NewDesc(name, help, nil, labels), kind, nil, read})
}
