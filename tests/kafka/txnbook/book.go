package txnbook

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The words of the lines. Each is said before the next step, so that a process
// that dies has said everything that it may have done.
const (
	Begin     = "begin"     // a transaction begins
	Try       = "try"       // its commit is about to be asked for
	Committed = "committed" // the commit was reported
	Aborted   = "aborted"   // the abort was reported
)

// Book is safe for use by any number of goroutines.
type Book struct {
	size int // records of each transaction

	mu   sync.Mutex
	all  map[string]*transaction
	said map[string]int // lines by word
}

type transaction struct {
	word string
	seen []int // times that each record was read
}

// New makes a book of transactions with size records each.
func New(size int) *Book {
	return &Book{size: size, all: map[string]*transaction{}, said: map[string]int{}}
}

// Line is what a producer says about a transaction.
func Line(word, name string) string { return word + " " + name }

// Value is what record i of a transaction carries.
func Value(name string, i int) string { return name + " " + strconv.Itoa(i) }

// Note takes a line.
func (b *Book) Note(line string) error {
	word, name, _ := strings.Cut(line, " ")
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.all[name]
	switch word {
	case Begin:
		t = b.named(name)
		if t.word != "" || name == "" {
			return fmt.Errorf("txnbook: %q: it has begun before", line)
		}
	case Try, Committed, Aborted:
		if t == nil || t.word == "" || t.word == Committed || t.word == Aborted || word == Committed && t.word != Try {
			return fmt.Errorf("txnbook: %q: it is not open", line)
		}
	default:
		return fmt.Errorf("txnbook: %q is no line of a producer", line)
	}
	t.word = word
	b.said[word]++
	return nil
}

// Said counts the lines with a word.
func (b *Book) Said(word string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.said[word]
}

// Read takes the value of a record that was read.
func (b *Book) Read(value string) error {
	name, number, _ := strings.Cut(value, " ")
	i, err := strconv.Atoi(number)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil || i < 0 || i >= b.size {
		return fmt.Errorf("txnbook: %q was read, which is no value of a transaction", value)
	}
	b.named(name).seen[i]++
	return nil
}

// named finds a transaction. A reader may be ahead of the lines.
func (b *Book) named(name string) *transaction {
	t := b.all[name]
	if t == nil {
		t = &transaction{seen: make([]int, b.size)}
		b.all[name] = t
	}
	return t
}

// Summary counts transactions.
type Summary struct {
	Committed, Aborted, Open int // what was said last; Open: begun, no more
	// Unclear were tried and nobody has heard what became of them. InLog of
	// them are committed.
	Unclear, InLog int
}

func (s Summary) String() string {
	return fmt.Sprintf("%d committed, %d aborted, %d cut off before their commit, %d at it (%d of them are in the log)",
		s.Committed, s.Aborted, s.Open, s.Unclear, s.InLog)
}

// Verdict compares. It must come after the last Read. Errors beyond the first
// ten are counted.
func (b *Book) Verdict() (Summary, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var (
		sum  Summary
		errs []error
		more int
	)
	for name, t := range b.all {
		once, never := t.count()
		var wrong string
		switch t.word {
		case Begin:
			sum.Open++
		case Aborted:
			sum.Aborted++
		case Committed:
			sum.Committed++
		case Try:
			sum.Unclear++
			if once == b.size {
				sum.InLog++
			}
		}
		switch {
		case t.word == "":
			wrong = "nobody has begun it"
		case once+never < b.size:
			wrong = "records are there twice"
		case (t.word == Begin || t.word == Aborted) && once > 0:
			wrong = "records are seen that were never committed"
		case t.word == Committed && never > 0:
			wrong = "records are lost"
		case once > 0 && never > 0:
			wrong = "a part of the records is seen"
		default:
			continue
		}
		if len(errs) == 10 {
			more++
			continue
		}
		errs = append(errs, fmt.Errorf("txnbook: %s, last word %q: %s: times seen: %v", name, t.word, wrong, t.seen))
	}
	if more > 0 {
		errs = append(errs, fmt.Errorf("txnbook: and %d more", more))
	}
	return sum, errors.Join(errs...)
}

// count returns how many records were seen once, and how many never.
func (t *transaction) count() (once, never int) {
	for _, n := range t.seen {
		switch n {
		case 0:
			never++
		case 1:
			once++
		}
	}
	return once, never
}
