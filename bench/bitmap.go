package bench

import "sync/atomic"

const (
	chunkBits  = 1 << 22
	chunkWords = chunkBits / 64
	maxChunks  = 1 << 14 // 68 billion records of one sender
)

// bitmap is a set of sequence numbers of one sender. It grows by chunks of half
// a megabyte and any goroutine may set bits: the ends of a sender's records may
// be reported by several goroutines, and its partitions are read by several.
type bitmap struct {
	chunks [maxChunks]atomic.Pointer[[chunkWords]atomic.Uint64]
}

// set adds seq and reports whether it was absent. Beyond the capacity it
// reports false, which shows up as a duplicate rather than being missed.
func (b *bitmap) set(seq uint64) bool {
	if seq >= maxChunks*chunkBits {
		return false
	}
	cell := &b.chunks[seq/chunkBits]
	chunk := cell.Load()
	if chunk == nil {
		cell.CompareAndSwap(nil, new([chunkWords]atomic.Uint64))
		chunk = cell.Load()
	}
	bit := uint64(1) << (seq % 64)
	return chunk[seq%chunkBits/64].Or(bit)&bit == 0
}

// has reports whether seq was set.
func (b *bitmap) has(seq uint64) bool {
	if seq >= maxChunks*chunkBits {
		return false
	}
	chunk := b.chunks[seq/chunkBits].Load()
	return chunk != nil && chunk[seq%chunkBits/64].Load()&(1<<(seq%64)) != 0
}

// missing calls f for every number below end that was not set, until f returns
// false. Full words are skipped at once.
func (b *bitmap) missing(end uint64, f func(seq uint64) bool) {
	for seq := uint64(0); seq < end; {
		if chunk := b.chunks[seq/chunkBits].Load(); chunk != nil && seq%64 == 0 {
			if chunk[seq%chunkBits/64].Load() == ^uint64(0) {
				seq += 64
				continue
			}
		}
		if !b.has(seq) && !f(seq) {
			return
		}
		seq++
	}
}
