// Package broker is an embedded Kafka cluster that costs as little as it can:
// the other end for tests of the producer, for `kbench run` without a broker,
// and for comparing producers on a machine that they share with it. It speaks
// ApiVersions, Metadata, InitProducerId and Produce, and Fetch and ListOffsets
// for what it keeps.
//
//	listener ─► conn goroutine ─────────────────────────────────┐
//	             │ readFrame   blocking reads, one reused buffer │
//	             │ parse       by hand, slices of that buffer    │
//	             │ hook        only if one is set                │
//	             │ apply       header, CRC*, records*, sequence  │
//	             │              └► partition: lock, offset, keep*│
//	             │ encode      by hand, one reused buffer        │
//	             └ send ─────► socket, or delayLine* ────────────┘
//	                                              (* if configured)
//
// A Produce request is read as a whole before anything of it is applied, and
// answered before the next one of its connection is looked at. Nothing is done
// per record unless Verify, Keep or OnRecord ask for it.
//
// # What is checked
//
// Always: frame and field lengths; one batch per partition and request; magic,
// batch length, base offset 0, last offset delta = count-1 ≥ 0, size; leader;
// and for idempotent producers the epoch and sequence, by Kafka's rules: a
// repeat of one of the last five batches is answered with its first offset, a
// gap is OUT_OF_ORDER_SEQUENCE_NUMBER, a new epoch starts at 0, an old one is
// INVALID_PRODUCER_EPOCH, 0 follows 2^31-1, and an unknown producer id may
// start anywhere. A request that can not be parsed ends its connection, and so
// does any error without acks. With VerifyCount also the CRC and every record.
//
// # Ownership
//
//	conn       its goroutine; close may come from anywhere
//	partition  its mutex; held for one batch, never while another is held
//	topics     immutable snapshot in an atomic pointer; topicsMu to replace it
//	node       its mutex: listener and set of connections
//	keptLog    the partition's mutex; bytes in a segment never change, so a
//	           reader may use them after unlocking
//	counters   atomics, added to once per request
//
// Hooks run on the goroutine of the connection and may block it; they may call
// every method of Broker except Close. OnRecord runs under the lock of a
// partition and may call none.
//
// # Slow brokers
//
// Config.Delay is a distance: answers leave that much later than they could,
// however many requests are under way. Config.Service is work: requests of one
// connection queue behind each other for it. Five requests in flight hide the
// first and not the second. Config.Throughput is a disk: the requests of all
// connections of a node queue for it, by their bytes. All wait on Go timers,
// which are up to a millisecond late on an idle machine; a late timer costs a
// throughput nothing, for its schedule goes on.
package broker
