// Package ledger decides whether a producer kept its promises: what it was
// given is in the log once, whole, in order and where it said it is; and what
// it reported as not persisted is not there.
//
//	Plan ── Source(g) ──► Record ──► Sender (kring, franz-go, …) ──► Kafka
//	              │                     │ Completion                   │
//	              ▼                     ▼                              ▼
//	            Book: digest       Book: outcome, offset         a foreign reader
//	              └──────────┬──────────┘                        (JVM, franz-go)
//	                         ▼                                         │ Entry
//	                      Checker ◄────────────────────────────────────┘
//	                         │
//	                         ▼
//	                       Report
//
// A Plan is a pure function of its fields: the same plan generates the same
// records again, so nothing but one digest per record has to be remembered. A
// value of StampSize bytes or more begins with a stamp (run, goroutine, number,
// sequence, partition, checksum) that names the record wherever it turns up.
// Smaller values are known by the offset their completion reported, or else as
// a multiset of digests.
//
// # What is checked
//
//	lost           acknowledged, but not in the log
//	twice          in the log more than once
//	ghost          reported as not persisted, or refused, yet in the log
//	foreign        in the log, but nobody sent it (a tiny duplicate shows so, too)
//	corrupt        key, value or headers differ from what was sent
//	out of order   per goroutine and partition, a later record lies before it
//	misplaced      not at the partition or the offset that was reported
//	timestamp      not the one that was asked for, or not the one reported
//	completion     none, more than one, or two that claim the same offset
//
// # Ownership
//
// Goroutine g of the producing side calls Book.Sent and Book.Refused for its
// own records only. Book.Complete may be called by any goroutine. A Checker is
// made when every producer has stopped and is used by one goroutine; one Book
// can be checked several times, once per reader.
package ledger
