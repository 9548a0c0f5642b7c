package bench

import "sync/atomic"

// stampRing is how many hand-overs of a sender are kept.
const stampRing = 1 << 14

// stamp is when a sampled record was handed over. seq tells whether the entry
// is still that record's: the ring of stamps is overwritten by later records.
type stamp struct {
	seq  atomic.Uint64
	sent atomic.Int64
}

// stampAt is where a sampled record's send time is kept.
func (sh *shard) stampAt(seq uint64) *stamp { return &sh.stamps[seq/sh.sample&(stampRing-1)] }

// sentAt is when a sampled record was handed over, unless a later one has taken
// its place.
func (sh *shard) sentAt(seq uint64) (at int64, kept bool) {
	st := sh.stampAt(seq)
	at = st.sent.Load()
	return at, st.seq.Load() == seq
}
