package ledger

import "slices"

// unplaced is the multiset of records that could be anywhere: acknowledged
// without an offset, possibly persisted, or never completed. Also those that
// must not turn up are in it, so that a ghost is called by its name.
type unplaced struct {
	byDigest map[uint64]*likes
}

// likes are records with equal bytes, which nobody can tell apart.
type likes struct {
	left    []int32
	several bool
}

func makeUnplaced(b *Book) unplaced {
	u := unplaced{byDigest: map[uint64]*likes{}}
	for i := range b.state {
		state := b.state[i].Load()
		if state == stateUnsent || state == stateAcked && b.offsets[i] >= 0 {
			continue
		}
		l := u.byDigest[b.digests[i]]
		if l == nil {
			l = &likes{}
			u.byDigest[b.digests[i]] = l
		}
		l.several = len(l.left) > 0
		l.left = append(l.left, int32(i))
	}
	return u
}

// take returns a record whose bytes are those of the entry; of several, the one
// that fits best. exact is false if there were several: which of them it is,
// and so its order among others, is then unknown.
func (u unplaced) take(b *Book, e *Entry, d uint64) (index int, exact, ok bool) {
	l := u.byDigest[d]
	if l == nil || len(l.left) == 0 {
		return 0, false, false
	}
	best := 0
	for i := range l.left {
		if b.fit(int(l.left[i]), e) > b.fit(int(l.left[best]), e) {
			best = i
		}
	}
	index = int(l.left[best])
	l.left = slices.Delete(l.left, best, best+1)
	return index, !l.several, true
}

// fit ranks how well a record explains an entry with its bytes. Records that
// ask for this very time and partition come before those that ask for nothing,
// because the latter also explain other entries.
func (b *Book) fit(index int, e *Entry) int {
	rank := 0
	switch b.state[index].Load() {
	case stateAcked, statePossible, stateSent:
		rank += 100
	}
	switch b.asked[index] {
	case e.Timestamp:
		rank += 40
	case 0:
	default:
		rank -= 1000
	}
	switch b.address[index] {
	case e.Partition:
		rank += 20
	case -1:
	default:
		rank -= 1000
	}
	return rank
}
