package broker

import "testing"

// step is one batch and what must become of it.
type step struct {
	epoch  int16
	base   int32
	count  int32
	want   verdict
	offset int64 // of a duplicate
}

func TestSequences(t *testing.T) {
	const largest = 1<<31 - 1
	tests := []struct {
		name  string
		steps []step // the first one makes the producer known
	}{
		{"in order", []step{{base: 0, count: 3}, {base: 3, count: 1}, {base: 4, count: 9}}},
		{"starts anywhere", []step{{base: 77, count: 3}, {base: 80, count: 1}}},
		{"gap", []step{{base: 0, count: 3}, {base: 4, count: 1, want: verdictOutOfOrder}, {base: 3, count: 1}}},
		{"duplicate of the newest", []step{{base: 0, count: 3}, {base: 0, count: 3, want: verdictDuplicate}, {base: 3, count: 1}}},
		{"duplicate needs the same end", []step{{base: 0, count: 3}, {base: 0, count: 2, want: verdictOutOfOrder}}},
		{"duplicate needs the same begin", []step{{base: 0, count: 3}, {base: 1, count: 2, want: verdictOutOfOrder}}},
		{"five are remembered", []step{
			{base: 0, count: 1},
			{base: 1, count: 1},
			{base: 2, count: 1},
			{base: 3, count: 1},
			{base: 4, count: 1},
			{base: 0, count: 1, want: verdictDuplicate},
			{base: 2, count: 1, want: verdictDuplicate, offset: 2},
			{base: 4, count: 1, want: verdictDuplicate, offset: 4},
		}},
		{"the sixth is forgotten", []step{
			{base: 0, count: 1},
			{base: 1, count: 1},
			{base: 2, count: 1},
			{base: 3, count: 1},
			{base: 4, count: 1},
			{base: 5, count: 1},
			{base: 0, count: 1, want: verdictOutOfOrder},
			{base: 1, count: 1, want: verdictDuplicate, offset: 1},
			{base: 5, count: 1, want: verdictDuplicate, offset: 5},
			{base: 6, count: 1},
		}},
		{"wrap between batches", []step{{base: largest - 1, count: 2}, {base: 0, count: 2}, {base: 2, count: 1}}},
		{"wrap inside a batch", []step{{base: largest - 1, count: 4}, {base: 2, count: 1}, {base: largest - 1, count: 4, want: verdictDuplicate}}},
		{"negative after the largest", []step{{base: largest, count: 1}, {base: 1, count: 1, want: verdictOutOfOrder}, {base: 0, count: 1}}},
		{"new epoch starts at zero", []step{{base: 0, count: 3}, {epoch: 1, base: 0, count: 1}, {epoch: 1, base: 1, count: 1}}},
		{"new epoch goes on", []step{{base: 0, count: 3}, {epoch: 1, base: 3, count: 1, want: verdictOutOfOrder}, {base: 3, count: 1}}},
		{"old epoch", []step{{epoch: 2, base: 0, count: 3}, {epoch: 1, base: 3, count: 1, want: verdictOldEpoch}, {epoch: 1, base: 0, count: 3, want: verdictOldEpoch}}},
		{"new epoch forgets the old batches", []step{{base: 0, count: 3}, {epoch: 1, base: 0, count: 2}, {epoch: 1, base: 0, count: 3, want: verdictOutOfOrder}}},
		{"same range in a new epoch is new", []step{{base: 0, count: 3}, {epoch: 1, base: 0, count: 3}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s := producerState{epoch: tc.steps[0].epoch}
			next := int64(0)
			for i, st := range tc.steps {
				h := batchHeader{producerID: 1, producerEpoch: st.epoch, baseSequence: st.base, count: st.count}
				if i > 0 {
					got, offset := s.judge(&h)
					if got != st.want {
						t.Fatalf("step %d: judge(%+v) = %d, want %d", i, st, got, st.want)
					}
					if got == verdictDuplicate && offset != st.offset {
						t.Errorf("step %d: duplicate of offset %d, want %d", i, offset, st.offset)
					}
				}
				if st.want == verdictAppend {
					s.remember(&h, next)
					next += int64(st.count)
				}
			}
		})
	}
}

func TestProducersAreBounded(t *testing.T) {
	var p partition
	for id := range int64(maxProducers + 10) {
		p.addProducer(id, 0)
	}
	if got := len(p.producers); got != maxProducers {
		t.Errorf("%d producers are remembered, want %d", got, maxProducers)
	}
	if p.producer(maxProducers+9) == nil {
		t.Error("the newest producer is forgotten")
	}
}
