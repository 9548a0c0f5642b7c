package broker

// dedupWindow is how many batches of a producer Kafka remembers per partition.
const dedupWindow = 5

// producerState is what a partition knows about one producer id: its epoch and
// the last batches it appended. It is guarded by the partition's lock.
type producerState struct {
	epoch int16
	next  int // where in window the next batch goes
	count int // how many of window are in use
	// window is the ring of the newest batches; a repeat of one of them is a
	// retry, answered with the offset of the first time.
	window [dedupWindow]sequenceRange
}

type sequenceRange struct {
	first, last int32
	offset      int64
}

// verdict is what the sequence of a batch says about it.
type verdict uint8

const (
	verdictAppend verdict = iota
	verdictDuplicate
	verdictOutOfOrder
	verdictOldEpoch
)

// judge applies Kafka's rules to a batch of a known producer. For a duplicate
// it returns the offset of the first append. A producer that is not known at
// all may start anywhere, so it is never judged.
func (s *producerState) judge(h *batchHeader) (verdict, int64) {
	switch {
	case h.producerEpoch < s.epoch:
		return verdictOldEpoch, 0
	case h.producerEpoch > s.epoch:
		if h.baseSequence != 0 {
			return verdictOutOfOrder, 0
		}
		return verdictAppend, 0
	}
	last := h.lastSequence()
	for i := range s.count {
		if r := &s.window[i]; r.first == h.baseSequence && r.last == last {
			return verdictDuplicate, r.offset
		}
	}
	newest := &s.window[(s.next+dedupWindow-1)%dedupWindow]
	if h.baseSequence != (newest.last+1)&(1<<31-1) {
		return verdictOutOfOrder, 0
	}
	return verdictAppend, 0
}

// remember notes an appended batch. A new epoch forgets the old one's batches.
func (s *producerState) remember(h *batchHeader, offset int64) {
	if h.producerEpoch != s.epoch {
		*s = producerState{epoch: h.producerEpoch}
	}
	s.window[s.next] = sequenceRange{first: h.baseSequence, last: h.lastSequence(), offset: offset}
	s.next = (s.next + 1) % dedupWindow
	s.count = min(s.count+1, dedupWindow)
}
