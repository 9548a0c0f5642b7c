// Package compress turns the records of a batch into fewer bytes, in the forms
// that Kafka's record batches know: gzip, snappy, LZ4 frames and zstd. It knows
// no batch and no Kafka: bytes in, bytes out.
//
//	records ──► Compressor.Append ──► encoder, borrowed ──► dst, grown
//	                                     ▲        │
//	                                     └─ idle ◄┘   at most one per processor
//
// It compresses only. A producer reads nothing that is compressed, so nothing
// here, or in what the library links, can be made to swell by a hostile broker.
//
// # Ownership
//
// A Compressor is immutable but for its idle encoders, and may be used by any
// number of goroutines. An encoder belongs to the goroutine that borrowed it,
// for one call of Append. No source is referenced after Append returns.
package compress
