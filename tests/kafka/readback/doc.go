// Package readback reads a topic back with clients that are not ours, from the
// first offset to the end that the log had at the start:
//
//	franz-go ──────────────────────────────► ledger.Entry ──► add
//	Java's KafkaConsumer (rig/Readback.java) ──► pipe ──► ledger.Entry ──► add
//
// Both call add from one goroutine, in offset order per partition, and reuse
// the entry.
package readback
