// Package accum decides who fills a batch and when it is ready: the record
// accumulator. Callers append records to the open batch of a partition; the
// sender takes complete batches out at the other end; the completion lane
// tells the callers what became of them.
//
//	caller ─┐ Append                                         Next, Take
//	caller ─┼────────► open batch ─seal─► complete batch ─────────────► sender
//	caller ─┘              │                                   ▲          │
//	                       └── full, linger, Flush, shortage   │ Requeue  │ Finish
//	                                                           └──────────┤
//	callbacks ◄── the Lane's owner ◄── finished batches ◄─────────────────┘
//
// A record is encoded where it will be sent from: a slot of the slab. There is
// no queue of records and no second copy. Batch i lives in slot i for ever, one
// life after the other, and a life is counted in its state word (state.go), so
// whoever stalls with an old word fails its CAS.
//
// # A record
//
//	A1 load open ......... which batch; sees O2 or O5
//	A2 CAS state ......... reserves bytes, a record index and a writer
//	A3 PutRecord ......... into the reserved bytes, which are nobody else's
//	A4 add state ......... the writer is out; publishes the bytes to D1
//
// Between A2 and A4 no user code runs, nothing allocates and nothing can
// panic: Kafka has no padding frame, so a reservation can not be taken back.
// The exception is a strand with one writer (reserve.go): what was reserved last
// is the last in the batch there, and user code writes the value.
// Whoever leaves a sealed batch as the last writer hands it over (MarkReady).
// Nobody waits for another goroutine's A4; the sender passes such a head by.
//
// # A strand: a queue of a partition
//
//	first ──► batch ──link──► batch ──link──► open batch ◄── open
//	 ▲ the sender takes here                   ▲ callers append here
//
//	O1 store state ....... a new life, with its first record reserved
//	O2 CAS open .......... none → batch; then O3
//	O3 store first ....... tells the sender where the chain begins
//	O4 CAS link .......... batch → its successor, or closed (the sender)
//	O5 CAS open .......... follows O4; anybody may help
//	M1 CAS queued ........ after what is to be seen (A4, O3, O4): MarkReady
//	D1 clear queued, look  sees what came before an M1 that failed
//
// A partition has one strand that everybody appends to, and others that have one
// writer each (NewStrand). What is said of the partition's open batch is so of
// every strand's; whoever looks after all open batches loads the list of strands
// after it has published what it wants seen, as openers do the other way round.
//
// The link goes first and the open word follows. The sender closes the link of
// the last batch (O4) before it takes the batch, so a batch that left the chain
// gets no successor; and it moves the open word off a batch before the batch
// can begin another life.
//
// # Compression
//
// With a Compressor, a complete batch is compressed once before the sender takes
// it (pack.go): by the writer whose commit completed it, or by a packer if the
// sender or a Flush sealed it.
//
//	P1 CAS pack .......... loose → busy, in one life of the batch: a claim
//	P2 compress .......... the slot is read, wire is written
//	P3 store pack ........ packed: publishes wire to the sender's look; then M1
//
// The records stay in the slot as they were written, for callbacks and Split. A
// busy batch is neither taken nor given up, so its life can not end under P2.
//
// # Deadlines
//
// A record may have a deadline. The batch knows the earliest (Batch.deadline,
// lowered by CAS between A2 and A4), and chunks beside the completions know each.
// What is late when the sender looks is taken out of batches that were never sent
// (cull.go), under a claim as in P1; what stays closes ranks in its slot.
//
// # Ownership
//
//	Batch.state, link, baseTs, maxTs   shared by the writers, by CAS
//	Batch fields of the opener         written before O2 or O4, then read-only
//	record bytes, completion and
//	deadline i                         the writer of record i, from A2 to A4;
//	                                   then the sender; then the lane
//	Batch.Sender, Partition.sender     the holder of the role of the broker
//	                                   that is the partition's home
//	Batch.wire, attributes             who has claimed it, from P1 to P3; then
//	                                   the sender
//	Batch.outcome                      the sender until Finish, then the lane
//	slot                               record side: until the callbacks have
//	                                   run; socket side: while a request that
//	                                   carries it may still be written
//	Lingers                            the timer's goroutine; Start: anybody
//
// # Who may call what
//
//	Append, AppendOpen, Seal, SealOpen, EndLinger,
//	MarkReady, Flush                                        anybody
//	Refuse, CloseEmpty                                      Close
//	Reserve, Commit, Abort                                  the writer of a NewStrand
//	Next, Take, Requeue, Drop, Split, Expired, Cull, …      the role's holder
//	Lane.Run                                                its one goroutine
//	Lane.Claim                                              a goroutine that may call back
//	Lane.Visit, Release, Waiting                            who has claimed it
//	Lingers.Fire, Accumulator.Tick                          the timer
//	Accumulator.Pack                                        the packers
//
// Append waits for memory, and only if it is told to; it parks in the slab's
// queue, first come, first served. Flush waits for outcomes. Nothing else here
// waits. There are two mutexes: one for adding partitions, one for Flush
// calls that wait. No record takes either.
//
// # Self-checks
//
// Widths and layouts are asserted by the compiler. The slab counts slots that
// are not home, and panics on misuse with the tag invariants.
package accum
