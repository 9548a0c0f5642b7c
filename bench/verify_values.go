package bench

import "sync/atomic"

// valueCheck knows the records of a run by their values, which are those of a
// PayloadFile and carry no stamp. Which value each record had follows from the
// plan, so it is known how often every value was sent; equal values are one. What
// stands where is told by the digests of the offsets that were acknowledged.
type valueCheck struct {
	values *fileValues
	seed   uint64
	index  map[uint64]int32 // by hash: the first of the equal values
	read   []atomic.Int64   // by value, at the first of equals
}

func newValueCheck(values *fileValues, seed uint64) *valueCheck {
	c := &valueCheck{values: values, seed: seed, index: make(map[uint64]int32, values.count()), read: make([]atomic.Int64, values.count())}
	for i, h := range values.hashes {
		if _, known := c.index[h]; !known {
			c.index[h] = int32(i)
		}
	}
	return c
}

// record takes the next record of a partition, as Verifier.Record does.
func (c *valueCheck) record(p *partitionCheck, offset int64, value []byte) {
	h := hashValue(value)
	i, ours := c.index[h]
	if !ours {
		p.foreign.Add(1)
		return
	}
	p.read.Add(1)
	p.digest.Add(placeDigest(tag(h), offset))
	c.read[i].Add(1)
}

// of is the first of the values that are equal to a record's.
func (c *valueCheck) of(t tag) int32 { return c.index[c.values.hash(c.seed, t)] }

// reportValues compares how often each value is there with how often it was sent.
func (v *Verifier) reportValues(r *VerifyResult, l *Ledger) {
	c := v.values
	sent, uncertain := make([]int64, c.values.count()), make([]int64, c.values.count())
	for sender, n := range l.Sent {
		for seq := range n {
			sent[c.of(makeTag(sender, seq))]++
		}
	}
	excused := make(map[tag]bool, len(l.Failed)) // The list may have a record twice.
	for _, t := range l.Failed {
		if !excused[t] {
			excused[t] = true
			uncertain[c.of(t)]++
		}
	}
	for i := range sent {
		read := c.read[i].Load()
		switch most, least := sent[i], sent[i]-uncertain[i]; {
		case read < least:
			r.Lost += least - read
			v.problem("value %d of the file is there %d times, and was acknowledged %d times", i+1, read, least)
		case read > most:
			r.Duplicated += read - most
			v.problem("value %d of the file is there %d times, and was sent %d times", i+1, read, most)
		}
	}
	if !l.FailedAll {
		r.Incomplete = "too many records failed to list them: lost includes some that were not acknowledged"
	}
	r.Checked = append(r.Checked, "lost", "duplicated", "bytes")
	r.Note = "values of a file carry no stamp: each was counted, and the order of a sender's records is not checked"
}
