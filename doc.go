// Package kring is a Kafka producer for programs that count microseconds. It
// does what the Java client's KafkaProducer does, with its defaults and its
// names, and without a lock or an allocation on the path of a record.
//
//	p, err := kring.New(kring.Brokers("localhost:9092"))
//	if err != nil {
//		return err
//	}
//	defer p.Close(context.Background())
//	err = p.Produce(ctx, kring.Record{Topic: "orders", Key: id, Value: body},
//		func(d kring.Delivery) {
//			if d.Err != nil {
//				log.Print(d.Err) // says whether the record may be in the log
//			}
//		})
//
// # The way of a record
//
//	Produce ─► partitioner ─► open batch of the partition      caller's goroutine
//	                              │ full, linger over, flush
//	                              ▼
//	                     ready partitions of the broker
//	                              │ whoever holds the broker's role
//	                              ▼
//	                  one Produce request ─► broker ─► answer
//	                                                      │
//	           Callback ◄─ completion goroutine ◄─────────┘
//
// Produce encodes the record straight into the batch that will be sent. So its
// key, value and headers may be reused as soon as Produce returns, and nothing
// of them is left for the garbage collector.
//
// # What is promised
//
// Every record that Produce accepts gets exactly one Delivery, before Close
// returns. Without an error the record is in the log at that partition and
// offset. Per goroutine and partition, the log has the records in the order in
// which Produce returned. With idempotence, which is the default, no retry
// stores a record twice or reorders records.
//
// A Delivery's error is a *ProduceError, and says what is known: NotPersisted
// means that the record is not in the log and never will be, so producing it
// again is safe. PossiblyPersisted means that a request with it was sent and no
// definite answer came. An error that Produce itself returns means that nothing
// was accepted: the callback is not called, and the record is not in the log.
//
// RequireAcks(AcksLeader) and AcksNone promise less, and turn idempotence off;
// each option says what it costs.
//
// # Memory and waiting
//
// All records that have no Delivery yet are in BufferMemory, which New
// allocates whole. When it is full, Produce waits, first come, first served, for
// at most MaxBlock or until its context ends; TryProduce returns ErrBufferFull at
// once. Every open batch takes BatchSize of it, however few records it holds, and
// an eighth of that where many partitions share little memory: a producer for many
// thousand partitions is faster with a larger BufferMemory. When memory runs out,
// all batches are sent without lingering.
//
// A record's time is bounded too: DeliveryTimeout after its batch was opened it
// is delivered or has failed, whatever happened to the brokers.
//
// # Callbacks
//
// Callbacks run one at a time on goroutines of kring, in the order of the log within
// each partition; CompletionLanes lets those of several partitions run at once. A slow callback holds back all that come after it, and in the
// end BufferMemory: hand long work to other goroutines. A callback may call
// TryProduce and Produce; Flush, Close and a Produce that would have to wait
// return ErrInCallback there. OnDelivery gives one callback to all records; with
// Record.Tag, which comes back in the Delivery, no closure is needed.
//
// # Partitions
//
// A record goes to the partition that it names with On; else by its key, with the
// same hash as the Java client, so that a key has one partition whichever
// client wrote it; else, without a key, to the partition that the goroutine is
// currently filling. After a batch's worth of bytes that changes, so that all
// partitions get the same number of bytes, or fewer where a slow broker has a
// queue. Partitions without a leader are left out. Goroutines on different cores
// fill different partitions, because sharing one costs them time.
//
// PartitionBy asks a Partitioner of the program's instead.
//
// # More than sending
//
//	InitTransactions, BeginTransaction, CommitTransaction ...  all or nothing
//	Interceptors, NewTyped     what happens to records on their way, and their types
//	Compression                by the goroutine that fills a batch
//	Warmup                     ready before the first record
//	Topic.Partitions           how many there are, and which have a leader
//	StopOnSequenceLost         no further, once acknowledged records may be lost
//	ManualFlush                nothing leaves before Flush says so
//	Explain, Latencies, Stats  why, where the time goes, how many
//	NewWriter, Reserve         for goroutines that are always busy
//	TopicSettings              linger, size, compression, memory and class of one topic
//	Hooks                      connections, requests and batches, one by one
//	ClusterID                  the cluster that an address must lead to
//	AppMetrics                 the program's metrics, for who runs the cluster
//	Reconfigure                linger, batch size and compression of a running producer
//	Drain, Purge               what was not delivered, handed back or thrown away
//
// # Timestamps
//
// A record may bring its own. Otherwise it gets the time at which it was
// produced, by a clock that may be up to about 10 ms old, since reading the exact
// one would cost more than the rest of Produce. ExactTimestamps reads it. Topics
// with LogAppendTime replace either.
//
// # Configuration
//
// Options carry Java's defaults of Kafka 4, and each names its property.
// FromProperties reads Java's properties themselves. New checks everything
// before it does anything, and reports every problem at once:
//
//	kring: Linger(-1ms): must not be negative
//	kring: RequireAcks(1) contradicts EnableIdempotence(): idempotence needs acks=all
//
// # Who may call what
//
// All methods of Producer and Topic may be called from any goroutine; a Writer and
// its Reservation belong to one. Options
// are for New, a few for Reconfigure, and may be reused. A Record is only read. After Close, nothing is
// accepted any more, no goroutine runs, and no connection is open.
package kring
