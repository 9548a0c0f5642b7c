package ledger

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is a way of breaking a promise.
type Kind string

// The kinds of findings; doc.go says what they mean.
const (
	Lost       Kind = "lost"
	Twice      Kind = "twice"
	Ghost      Kind = "ghost"
	Foreign    Kind = "foreign"
	Corrupt    Kind = "corrupt"
	OutOfOrder Kind = "out of order"
	Misplaced  Kind = "misplaced"
	Timestamp  Kind = "timestamp"
	Callback   Kind = "completion"
	Reader     Kind = "reader" // the reader itself is wrong: offsets going backwards
)

// maxTold is how many findings of a kind are told in words; all are counted.
const maxTold = 5

// Report is the result of a check.
type Report struct {
	Sent, Acked, NotPersisted, Possible, Refused int
	Read                                         int // records in the log
	PossibleFound                                int // possibly persisted ones that are in the log
	Counts                                       map[Kind]int
	told                                         []string
}

func (r *Report) find(kind Kind, format string, args ...any) {
	if r.Counts == nil {
		r.Counts = map[Kind]int{}
	}
	r.Counts[kind]++
	if r.Counts[kind] <= maxTold {
		r.told = append(r.told, string(kind)+": "+fmt.Sprintf(format, args...))
	}
}

// Err is nil if every promise was kept.
func (r *Report) Err() error {
	if len(r.Counts) == 0 {
		return nil
	}
	return errors.New(r.String() + "\n  " + strings.Join(r.told, "\n  "))
}

// String is one line.
func (r *Report) String() string {
	line := fmt.Sprintf("ledger: sent %d: acked %d, not persisted %d, possibly %d (%d found), refused %d; read %d",
		r.Sent, r.Acked, r.NotPersisted, r.Possible, r.PossibleFound, r.Refused, r.Read)
	for _, kind := range []Kind{Lost, Twice, Ghost, Foreign, Corrupt, OutOfOrder, Misplaced, Timestamp, Callback, Reader} {
		if n := r.Counts[kind]; n > 0 {
			line += fmt.Sprintf("; %s %d", kind, n)
		}
	}
	return line
}
