// Package kringprom shows the statistics of kring producers to Prometheus.
//
//	*kring.Producer ── Stats ──► Collector ◄── Collect ── registry ◄── scrape
//
//	p, err := kring.New(…)
//	prometheus.MustRegister(kringprom.New(p, kringprom.Labels{"client_id": "shop"}))
//
// Nothing is counted twice and nothing runs between scrapes: a scrape takes one
// snapshot, which neither blocks the producer nor allocates in it. A scrape
// costs the same however many topics and partitions there are, because no metric
// has a label for them; the labels are those that New is given.
//
// # The metrics
//
// Counters, since the producer was made:
//
//	kring_producer_requests_total            Produce requests written, retries included
//	kring_producer_batches_total             batches in them, retries included
//	kring_producer_records_total{outcome}    records with an outcome: acked, failed
//	kring_producer_batch_retries_total       batches that were sent, or tried, once more
//	kring_producer_batch_splits_total        batches cut in two after MESSAGE_TOO_LARGE
//	kring_producer_epoch_bumps_total         sequences restarted under a new epoch
//	kring_producer_sequences_lost_total      a broker had forgotten what was acknowledged
//	kring_producer_disconnects_total         connections that failed with work on them
//	kring_producer_throttles_total           answers that asked for silence (KIP-219)
//	kring_producer_blocked_calls_total       Produce calls that had to wait for memory or MaxBufferedRecords
//	kring_producer_metadata_answers_total    answers to metadata requests
//	kring_producer_callback_panics_total     delivery callbacks that panicked
//	kring_producer_stuck_callbacks_total     delivery callbacks that did not return within 5 s
//	kring_producer_compressor_input_bytes_total   bytes of records into the compressor
//	kring_producer_compressor_output_bytes_total  bytes that are sent in their place
//
// Gauges:
//
//	kring_producer_buffer_size_bytes         BufferMemory, in slots of BatchSize
//	kring_producer_buffer_free_bytes         what of it is free
//	kring_producer_buffer_waiting_calls      Produce calls that wait for memory or MaxBufferedRecords now
//	kring_producer_incomplete_batches        batches with accepted records and no outcome
//	kring_producer_connected_brokers         brokers with an open Produce connection
//	kring_producer_open_connections          open Produce connections
//	kring_producer_requests_in_flight_limit  what each connection may have in flight, by broker and connection
//	kring_producer_known_brokers             brokers that the metadata names
//
// Histograms, 100 µs to 30 s, one for each stage of a record's way:
//
//	kring_producer_stage_duration_seconds{stage}
//
//	Produce ─ fill ─► sealed ─ queue ─► taken ─ write ─► sent ─ ack ─► answered ─ callback ─► done
//
// fill, queue and callback count batches, write and ack requests, retries
// included. kring measures them always; they cost nothing per record. The bounds
// are fixed: quantiles from them are as good as the bounds are near, and those of
// Producer.Latencies are better.
//
// # What to watch
//
//	rate(kring_producer_records_total{outcome="failed"}[5m]) > 0     records are lost
//	kring_producer_buffer_free_bytes / kring_producer_buffer_size_bytes < 0.1
//	                                  the brokers take less than is produced
//	rate(kring_producer_batch_retries_total[5m])
//	  / rate(kring_producer_batches_total[5m]) > 0.05                a broker is in trouble
//	histogram_quantile(0.99, sum by (stage, le)
//	  (rate(kring_producer_stage_duration_seconds_bucket[5m])))      where the time goes
package kringprom
