// Package outbox relays rows of a database to Kafka, at least once. A service
// writes an event into the outbox table in the transaction that changes its
// data; the relay produces what is there and marks it afterwards.
//
//	transaction ─► outbox table ◄── MarkSent ◄── delivered ─┐
//	                   │                                    │
//	                   └─ Pending ─► Relay ─► kring ─► Kafka ─► outcome
//	                                                        │
//	                  MarkFailed ◄── can never be sent ◄────┘
//
// # What is promised
//
// A row is marked only after its record was delivered, so a crash at any point
// loses nothing. A crash between delivery and mark, or an outcome that is not
// known, produces the row again: every record carries the row's number in the
// header outbox-id, for consumers to recognise what they have.
//
// Rows go out in the order of their numbers, and those of one key go to one
// partition. Where a row fails and is tried again, rows behind it may already be
// in the log.
//
// Run one Relay per table. Two would each send everything.
package outbox
