package ledger

import (
	"fmt"
	"strings"
)

// difference generates the record once more and says which of its parts the
// entry does not have.
func (b *Book) difference(index int, e *Entry) string {
	id := b.id(index)
	source := b.plan.Sources()[id.Goroutine()]
	var r Record
	for {
		if next, ok := source.Next(&r); !ok {
			return "this record can not be generated again"
		} else if next == id {
			break
		}
	}
	var want Entry
	want.Fill(e.Partition, e.Offset, e.Timestamp, r.Key, r.Value, r.Headers)
	var parts []string
	compare := func(name string, wantSize, gotSize int32, wantHash, gotHash uint64) {
		switch {
		case wantSize != gotSize:
			parts = append(parts, fmt.Sprintf("%s has size %d instead of %d", name, gotSize, wantSize))
		case wantHash != gotHash:
			parts = append(parts, fmt.Sprintf("%s differs (%d)", name, gotSize))
		}
	}
	compare("key", want.KeySize, e.KeySize, want.KeyHash, e.KeyHash)
	compare("value", want.ValueSize, e.ValueSize, want.ValueHash, e.ValueHash)
	compare("list of headers", want.Headers, e.Headers, want.HeadersHash, e.HeadersHash)
	if len(parts) == 0 {
		return "nothing differs from the plan, so the record was changed before it was sent"
	}
	return strings.Join(parts, ", ") + " (-1 is null)"
}
