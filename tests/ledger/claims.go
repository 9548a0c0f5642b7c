package ledger

import "slices"

// claim says that a completion reported this offset for record index.
type claim struct {
	offset int64
	index  int32
}

// claims is what the completions say about one partition, in offset order, with
// a cursor that follows the reader: readers yield each partition in offset
// order, so no lookup is needed.
type claims struct {
	sorted []claim
	next   int
}

// makeClaims groups the acknowledged records with a known offset by partition.
func makeClaims(b *Book, report *Report) map[int32]*claims {
	all := map[int32]*claims{}
	for i := range b.state {
		if b.state[i].Load() != stateAcked || b.offsets[i] < 0 {
			continue
		}
		c := all[b.partitions[i]]
		if c == nil {
			c = &claims{}
			all[b.partitions[i]] = c
		}
		c.sorted = append(c.sorted, claim{offset: b.offsets[i], index: int32(i)})
	}
	for partition, c := range all {
		slices.SortFunc(c.sorted, func(x, y claim) int {
			if x.offset != y.offset {
				return int(min(1, max(-1, x.offset-y.offset)))
			}
			return int(x.index - y.index)
		})
		c.sorted = slices.CompactFunc(c.sorted, func(x, y claim) bool {
			if x.offset == y.offset {
				report.find(Callback, "%v and %v were both reported at partition %d offset %d",
					b.id(int(x.index)), b.id(int(y.index)), partition, x.offset)
			}
			return x.offset == y.offset
		})
	}
	return all
}

// at moves the cursor to an offset and returns the record that claims it.
// Claims that it passes are of offsets where nothing was read.
func (c *claims) at(offset int64) (index int, ok bool) {
	if c == nil {
		return 0, false
	}
	for c.next < len(c.sorted) && c.sorted[c.next].offset < offset {
		c.next++
	}
	if c.next < len(c.sorted) && c.sorted[c.next].offset == offset {
		c.next++
		return int(c.sorted[c.next-1].index), true
	}
	return 0, false
}
