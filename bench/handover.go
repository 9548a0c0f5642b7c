package bench

import "sync/atomic"

// stampRing is how many hand-overs of a sender are kept, at least: of one record
// in so many as latencies are sampled.
const stampRing = 1 << 14

// stampedRecords is how many records of a loop that only memory holds back may
// be under way before a hand-over is overwritten and its record's time lost, which
// would be the times of the slowest. As many fit 32 MiB, the default of
// buffer.memory, if they have 32 bytes each.
const stampedRecords = 1 << 20

// newStamps is the ring of one sender.
func newStamps(c *Config, sample uint32) []stamp {
	slots := stampRing
	for c.Mode == ModeClosed && c.Outstanding == 0 && slots*int(sample)*c.Senders < stampedRecords {
		slots *= 2
	}
	return make([]stamp, slots)
}

// stamp is when a sampled record was handed over. seq tells whether the entry
// is still that record's: the ring of stamps is overwritten by later records.
type stamp struct {
	seq  atomic.Uint64
	sent atomic.Int64
}

// stampAt is where a sampled record's send time is kept.
func (sh *shard) stampAt(seq uint64) *stamp {
	return &sh.stamps[seq/sh.sample&uint64(len(sh.stamps)-1)]
}

// sentAt is when a sampled record was handed over, unless a later one has taken
// its place.
func (sh *shard) sentAt(seq uint64) (at int64, kept bool) {
	st := sh.stampAt(seq)
	at = st.sent.Load()
	return at, st.seq.Load() == seq
}
