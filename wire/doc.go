// Package wire turns records into bytes, and a broker's bytes into results. It
// knows nothing but bytes: no batch that is being filled, no connection, no
// clock. Everything else that kring says to a broker goes through generated
// protocol messages; this package is what is left of Kafka's protocol on the
// path of a record: the record batch (version 2) and Produce (versions 3 to 13).
//
//	PayloadSize ─► RecordSize ─► PutRecord ............ into one slot
//	 once per       once per  └► PutRecordSegments .... across several slots
//	 record         attempt
//	                     PutBatchHeader ─► BatchCRC ─► PutCRC
//	                        at drain       over header and records
//
//	ProduceEncoder ── Buf, Cuts ──► one vectored write ──► broker
//	                  batches   ──►                          │
//	ProduceResponse ◄── Decode ◄── ResponseHeader ◄── frame ◄┘
//
//	NextRecord ─► Record.Put .......................... a batch is split
//
// # A batch
//
//	 0           8        12       16      17    21                        61
//	+-----------+--------+--------+-------+-----+-------------------------+---------+
//	| base      | length | leader | magic | CRC | attributes, deltas,     | records |
//	| offset: 0 |        |epoch:-1|   2   |     | timestamps, producer, n |         |
//	+-----------+--------+--------+-------+-----+-------------------------+---------+
//	                                             └────── covered by the CRC ───────┘
//
// # A record
//
//	+--------+------------+-----------+--------+-----+-----+-------+-----+---------+
//	| length | attributes | timestamp | offset | key | key | value | val | headers |
//	|        |     0      |   delta   | delta  | len |     |  len  |     |         |
//	+--------+------------+-----------+--------+-----+-----+-------+-----+---------+
//	 varint                varlong     varint  └───────────── payload ─────────────┘
//
// The payload depends on the record alone, so its size is computed once. The
// deltas depend on the place in a batch, which is known only when the
// place has been reserved, and may change with each attempt to reserve one.
//
// # Ownership
//
// The functions of this package keep nothing that they are given, and are safe
// for any number of goroutines as long as the memory is. Between the
// reservation of a record's bytes and their commit nothing may fail, since Kafka
// has no padding with which a gap could be filled: PutRecord calls no foreign
// code, allocates nothing, and writes exactly the bytes that were reserved.
//
// A ProduceEncoder and a ProduceResponse belong to one connection's sender
// role. The byte slices in a ProduceResponse are part of the frame it was
// decoded from.
//
// # What a broker can do
//
// Nothing but be refused: whatever the bytes, decoding ends, does not panic,
// and takes memory in proportion to what was received, not to what was claimed.
package wire
