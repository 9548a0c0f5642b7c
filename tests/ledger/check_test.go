package ledger

import (
	"context"
	"errors"
	"testing"
)

// manyFaces is for faults that shift a whole partition: how each single record
// looks then depends on its neighbours.
var manyFaces = map[Kind]int{Lost: 0, Misplaced: 0, Corrupt: 0, Foreign: 0, Twice: 0, Timestamp: 0}

// TestCheckerFindsPlantedFaults breaks a correct run in every way that the
// ledger knows and wants exactly that finding (several, where one fault has
// several faces).
func TestCheckerFindsPlantedFaults(t *testing.T) {
	tests := []struct {
		name  string
		rules Rules
		fault func(w *world)
		want  map[Kind]int // 0: any number, also none
	}{
		{name: "nothing wrong", fault: func(*world) {}},

		{name: "record dropped, its offset is a hole", fault: func(w *world) { w.remove(w.big(5)) }, want: map[Kind]int{Lost: 1}},
		{name: "tiny record dropped", fault: func(w *world) { w.remove(w.tiny(5)) }, want: map[Kind]int{Lost: 1}},
		{name: "last record dropped", fault: func(w *world) { w.remove(len(w.log[1]) - 1) }, want: map[Kind]int{Lost: 1}},
		{name: "record dropped, nobody's offsets fit any more", fault: func(w *world) {
			w.remove(w.big(5))
			w.renumber(false)
		}, want: manyFaces},
		{name: "acked without an offset and dropped", fault: func(w *world) {
			w.completion(w.remove(w.tiny(5)).id).Offset = -1
		}, want: map[Kind]int{Lost: 1}},

		{name: "record twice", fault: func(w *world) {
			w.insert(w.big(9), w.log[1][w.big(5)])
			w.renumber(true)
		}, want: map[Kind]int{Twice: 1}},
		{name: "copy at the end of the log", fault: func(w *world) {
			w.insert(len(w.log[1]), w.log[1][w.big(5)])
			w.log[1][len(w.log[1])-1].Offset = int64(len(w.log[1]))
		}, want: map[Kind]int{Twice: 1}},
		{name: "tiny copy at the end of the log", fault: func(w *world) {
			w.insert(len(w.log[1]), w.log[1][w.tiny(5)])
			w.log[1][len(w.log[1])-1].Offset = int64(len(w.log[1]))
		}, want: map[Kind]int{Twice: 1}},
		{name: "copy allowed without idempotence", rules: Rules{AllowTwice: true}, fault: func(w *world) {
			w.insert(len(w.log[1]), w.log[1][w.tiny(5)])
			w.insert(len(w.log[1]), w.log[1][w.big(5)])
			w.log[1][len(w.log[1])-2].Offset = int64(len(w.log[1]))
			w.log[1][len(w.log[1])-1].Offset = int64(len(w.log[1])) + 1
		}},
		{name: "possibly persisted, and twice", fault: func(w *world) {
			e := w.log[1][w.tiny(5)]
			*w.completion(e.id) = Completion{ID: e.id, Outcome: PossiblyPersisted, Offset: -1}
			e.Offset = int64(len(w.log[1]))
			w.insert(len(w.log[1]), e)
		}, want: map[Kind]int{Twice: 1}},

		{name: "two of one goroutine exchanged, offsets reported as they lie", fault: func(w *world) {
			i, j := w.sameGoroutine()
			w.log[1][i], w.log[1][j] = w.log[1][j], w.log[1][i]
			w.renumber(true)
		}, want: map[Kind]int{OutOfOrder: 0}},
		{name: "two exchanged, offsets reported as if not", fault: func(w *world) {
			i, j := w.sameGoroutine()
			w.log[1][i], w.log[1][j] = w.log[1][j], w.log[1][i]
			w.renumber(false)
		}, want: map[Kind]int{OutOfOrder: 0, Misplaced: 2}},
		{name: "two tiny ones exchanged", fault: func(w *world) {
			i, j := w.tiny(3), w.tiny(4)
			w.log[1][i], w.log[1][j] = w.log[1][j], w.log[1][i]
			w.renumber(false)
		}, want: map[Kind]int{Corrupt: 2, Timestamp: 0}},

		{name: "value corrupted", fault: func(w *world) { w.log[1][w.big(5)].ValueHash ^= 1 << 40 }, want: map[Kind]int{Corrupt: 1}},
		{name: "tiny value corrupted", fault: func(w *world) { w.log[1][w.tiny(5)].ValueHash ^= 1 }, want: map[Kind]int{Corrupt: 1}},
		{name: "stamp corrupted", fault: func(w *world) {
			e := &w.log[1][w.big(5)]
			e.Prefix[3] ^= 1
			e.ValueHash ^= 1
		}, want: map[Kind]int{Corrupt: 1}},
		{name: "empty value read as null", fault: func(w *world) {
			e := &w.log[1][w.nth(0, func(e *placed) bool { return e.ValueSize == 0 })]
			e.ValueSize, e.ValueHash = -1, Hash(nil)
		}, want: map[Kind]int{Corrupt: 1}},
		{name: "null key read as empty", fault: func(w *world) {
			e := &w.log[1][w.nth(0, func(e *placed) bool { return e.KeySize < 0 })]
			e.KeySize, e.KeyHash = 0, Hash([]byte{})
		}, want: map[Kind]int{Corrupt: 1}},
		{name: "header lost", fault: func(w *world) {
			e := &w.log[1][w.nth(0, func(e *placed) bool { return e.Headers == 1 })]
			e.Headers, e.HeadersHash = 0, HashHeaders(nil)
		}, want: map[Kind]int{Corrupt: 1}},
		{name: "possibly persisted, and corrupted", fault: func(w *world) {
			e := &w.log[1][w.big(5)]
			*w.completion(e.id) = Completion{ID: e.id, Outcome: PossiblyPersisted, Offset: -1}
			e.HeadersHash++
		}, want: map[Kind]int{Corrupt: 1}},

		{name: "in another partition than named", fault: func(w *world) {
			e := w.remove(w.nth(0, func(e *placed) bool { return e.ValueSize >= StampSize && w.book.address[w.index(e.id)] == 1 }))
			c := w.completion(e.id)
			e.Partition, e.Offset = 2, int64(len(w.log[2]))
			c.Partition, c.Offset = e.Partition, e.Offset
			w.log[2] = append(w.log[2], e)
		}, want: map[Kind]int{Misplaced: 1, OutOfOrder: 1}},
		{name: "every offset reported one too high", fault: func(w *world) {
			for i := range w.done {
				w.done[i].Offset++
			}
		}, want: manyFaces},

		{name: "not persisted, yet there", fault: func(w *world) {
			id := w.log[1][w.big(5)].id
			*w.completion(id) = Completion{ID: id, Outcome: NotPersisted, Offset: -1}
		}, want: map[Kind]int{Ghost: 1}},
		{name: "tiny, not persisted, yet there", fault: func(w *world) {
			id := w.log[1][w.tiny(5)].id
			*w.completion(id) = Completion{ID: id, Outcome: NotPersisted, Offset: -1}
		}, want: map[Kind]int{Ghost: 1}},
		{name: "refused, yet there", fault: func(w *world) {
			id := w.log[1][w.big(5)].id
			w.book.Refused(id)
			w.forget(id)
		}, want: map[Kind]int{Ghost: 1}},
		{name: "not persisted and not there", fault: func(w *world) {
			id := w.remove(w.big(5)).id
			*w.completion(id) = Completion{ID: id, Outcome: NotPersisted, Offset: -1}
		}},
		{name: "possibly persisted, one there and one not", fault: func(w *world) {
			for _, id := range []ID{w.remove(w.big(5)).id, w.log[1][w.tiny(5)].id} {
				*w.completion(id) = Completion{ID: id, Outcome: PossiblyPersisted, Offset: -1}
			}
		}},
		{name: "acked without an offset", fault: func(w *world) {
			for i := range w.done {
				w.done[i].Offset = -1
			}
		}},

		{name: "somebody else's record", fault: func(w *world) {
			var e placed
			e.Fill(1, 0, 1, []byte("who"), []byte("somebody else"), nil)
			w.insert(7, e)
			for i := range w.log[1] {
				w.log[1][i].Offset = int64(i)
				if i != 7 {
					w.completion(w.log[1][i].id).Offset = int64(i)
				}
			}
		}, want: map[Kind]int{Foreign: 1}},

		{name: "no completion", fault: func(w *world) { w.forget(w.log[1][w.big(5)].id) }, want: map[Kind]int{Callback: 1}},
		{name: "two completions", fault: func(w *world) { w.done = append(w.done, w.done[17]) }, want: map[Kind]int{Callback: 1}},
		{name: "completion of an unknown record", fault: func(w *world) {
			w.done = append(w.done, Completion{ID: makeID(9, 9), Outcome: Acked})
		}, want: map[Kind]int{Callback: 1}},
		{name: "one offset for two", fault: func(w *world) {
			w.completion(w.log[1][w.big(5)].id).Offset = int64(w.big(6))
		}, want: map[Kind]int{Callback: 1, Misplaced: 0}},

		{name: "timestamp not as asked for", fault: func(w *world) {
			w.log[1][w.nth(3, func(e *placed) bool { return w.book.asked[w.index(e.id)] != 0 })].Timestamp++
		}, want: map[Kind]int{Timestamp: 1}},
		{name: "timestamp not as reported", rules: Rules{ReportedTimestamps: true}, fault: func(w *world) {
			w.log[1][w.nth(3, func(e *placed) bool { return w.book.asked[w.index(e.id)] == 0 })].Timestamp++
		}, want: map[Kind]int{Timestamp: 1}},
		{name: "reader goes backwards", fault: func(w *world) {
			w.log[1][100].Offset = 5
		}, want: map[Kind]int{Reader: 1, Lost: 1}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t)
			tc.fault(w)
			report := w.check(tc.rules)
			for kind, n := range report.Counts {
				want, expected := tc.want[kind]
				if !expected || want != 0 && want != n {
					t.Errorf("%s: %d findings, want %d\n%v", kind, n, want, report.Err())
				}
			}
			for kind, n := range tc.want {
				if report.Counts[kind] < n {
					t.Errorf("%s: %d findings, want %d", kind, report.Counts[kind], n)
				}
			}
			if (report.Err() != nil) != (len(tc.want) > 0) {
				t.Errorf("Err() = %v, want a failure: %v", report.Err(), len(tc.want) > 0)
			}
		})
	}
}

func (w *world) index(id ID) int {
	i, _ := w.book.index(id)
	return i
}

func (w *world) forget(id ID) {
	for i := range w.done {
		if w.done[i].ID == id {
			w.done = append(w.done[:i], w.done[i+1:]...)
			return
		}
	}
}

// deaf refuses everything.
type deaf struct{ world }

var errDeaf = errors.New("deaf")

func (*deaf) Send(context.Context, ID, *Record) error { return errDeaf }

func TestDriveReportsAProducerThatTakesNothing(t *testing.T) {
	book := NewBook(testPlan(), Pace{})
	if err := Drive(t.Context(), book, &deaf{}); !errors.Is(err, errDeaf) {
		t.Errorf("Drive = %v, want %v", err, errDeaf)
	}
	if got := book.Outcomes()["refused"]; got != 4000 {
		t.Errorf("%d records refused, want 4000", got)
	}
}
