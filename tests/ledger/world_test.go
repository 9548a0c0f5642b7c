package ledger

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// world is a log in memory with a perfect producer in front of it. Tests break
// one thing in it and look whether the checker says so.
type world struct {
	book *Book
	mu   sync.Mutex
	log  map[int32][]placed
	done []Completion
}

type placed struct {
	Entry
	id ID
}

func testPlan() Plan {
	return Plan{
		Run: 42, Topic: "t", Partitions: 3, Goroutines: 4, Records: 4000,
		Sizes:    append(MixedSizes()[:5:5], SizeClass{Weight: 300, Min: 8000, Max: 20_000}),
		Explicit: 50, Keyed: 25, BaseTime: 1_700_000_000_000,
		KeyPartition: func(key []byte, n int32) int32 { return int32(Hash(key) % uint64(n)) },
	}
}

// newWorld drives a plan into the log; completions are held back so that a test
// can change them.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{book: NewBook(testPlan(), Pace{}), log: map[int32][]placed{}}
	if err := Drive(t.Context(), w.book, w); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) Send(_ context.Context, id ID, r *Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.book.intended(r)
	if p < 0 {
		p = int32(id.Number() % 3)
	}
	timestamp := r.Timestamp
	if timestamp == 0 {
		timestamp = 1_700_000_000_001
	}
	e := placed{id: id}
	e.Fill(p, int64(len(w.log[p])), timestamp, r.Key, r.Value, r.Headers)
	w.log[p] = append(w.log[p], e)
	w.done = append(w.done, Completion{ID: id, Outcome: Acked, Partition: p, Offset: e.Offset, Timestamp: timestamp})
	return nil
}

func (w *world) Close(context.Context) error { return nil }

// check completes everything and reads the log back.
func (w *world) check(rules Rules) *Report {
	for _, c := range w.done {
		w.book.Complete(c)
	}
	checker := NewChecker(w.book, rules)
	for p := range int32(3) {
		for i := range w.log[p] {
			checker.Add(&w.log[p][i].Entry)
		}
	}
	return checker.Finish()
}

// big and tiny return places in partition 1 of values with and without a stamp.
func (w *world) big(nth int) int {
	return w.nth(nth, func(e *placed) bool { return e.ValueSize >= StampSize })
}

func (w *world) tiny(nth int) int {
	return w.nth(nth, func(e *placed) bool { return e.ValueSize > 8 && e.ValueSize < StampSize })
}

func (w *world) nth(nth int, match func(*placed) bool) int {
	for i := range w.log[1] {
		if match(&w.log[1][i]) {
			if nth--; nth < 0 {
				return i
			}
		}
	}
	panic("the test plan has too few such records")
}

func (w *world) completion(id ID) *Completion {
	for i := range w.done {
		if w.done[i].ID == id {
			return &w.done[i]
		}
	}
	panic("no completion")
}

// renumber gives the entries of partition 1 dense offsets again after a test
// has moved them; tell also corrects the completions.
func (w *world) renumber(tell bool) {
	for i := range w.log[1] {
		e := &w.log[1][i]
		e.Partition, e.Offset = 1, int64(i)
		if tell {
			c := w.completion(e.id)
			c.Partition, c.Offset = 1, int64(i)
		}
	}
}

func (w *world) remove(i int) placed {
	e := w.log[1][i]
	w.log[1] = slices.Delete(w.log[1], i, i+1)
	return e
}

func (w *world) insert(i int, e placed) { w.log[1] = slices.Insert(w.log[1], i, e) }

// sameGoroutine returns two places of partition 1 that one goroutine filled.
func (w *world) sameGoroutine() (i, j int) {
	i = w.big(10)
	for j = i + 1; w.log[1][j].id.Goroutine() != w.log[1][i].id.Goroutine() || w.log[1][j].ValueSize < StampSize; j++ {
	}
	return i, j
}
