package bench

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Verifier looks at the records of a topic as they stand in its log, and knows
// at the end what is missing, twice there, out of order or altered.
//
// Records of one partition must be given in the order of its log, by one
// goroutine at a time; partitions are independent of each other.
type Verifier struct {
	plan       VerifyPlan
	pool       *pool
	values     *valueCheck // in place of stamps; nil for a generated payload
	seen       []*bitmap   // by sender
	partitions []partitionCheck
	// blind knows the run's id and nothing else: bodies are not compared, and
	// seen and last grow with the senders that turn up.
	blind bool
	met   *[maxSenders]atomic.Bool // whose seen exists; blind only

	mu       sync.Mutex
	problems []string
}

// partitionCheck belongs to whoever reads the partition.
type partitionCheck struct {
	last    []uint64 // by sender: the highest sequence so far, plus one
	digest  atomic.Uint64
	read    atomic.Int64
	small   atomic.Int64 // too small to carry a stamp
	foreign atomic.Int64
	twice   atomic.Int64
	back    atomic.Int64
	corrupt atomic.Int64
	next    int64 // the offset that must come next at least
	_       [cacheLine]byte
}

// maxProblems is how many findings are told in words; all are counted.
const maxProblems = 10

// NewVerifier prepares for the records of a plan.
func NewVerifier(plan VerifyPlan) (*Verifier, error) {
	if plan.Senders < 1 || plan.Senders > maxSenders || plan.Partitions < 1 {
		return nil, fmt.Errorf("bench: plan has %d senders and %d partitions", plan.Senders, plan.Partitions)
	}
	sent, err := newPayload(&plan)
	if err != nil {
		return nil, err
	}
	v := &Verifier{
		plan: plan, pool: sent.pool,
		seen: make([]*bitmap, plan.Senders), partitions: make([]partitionCheck, plan.Partitions),
	}
	if sent.values != nil {
		v.values = newValueCheck(sent.values, plan.Seed)
	}
	for i := range v.seen {
		v.seen[i] = new(bitmap)
	}
	for i := range v.partitions {
		v.partitions[i].last = make([]uint64, plan.Senders)
	}
	return v, nil
}

// Record takes the next record of a partition.
func (v *Verifier) Record(partition int32, offset int64, value []byte) {
	if partition < 0 || int(partition) >= len(v.partitions) {
		v.problem("partition %d: the topic should have %d partitions", partition, len(v.partitions))
		return
	}
	p := &v.partitions[partition]
	if offset < p.next {
		p.back.Add(1)
		v.problem("partition %d: offset %d after %d", partition, offset, p.next-1)
	}
	p.next = offset + 1
	if v.values != nil {
		v.values.record(p, offset, value)
		return
	}
	raw, ours, whole := stampOf(value, uint64(v.plan.RunID))
	switch {
	case !ours && len(value) < StampSize:
		p.small.Add(1)
		return
	case !ours:
		p.foreign.Add(1)
		return
	case v.plan.others(raw, whole):
		return
	}
	t := tag(raw)
	p.read.Add(1)
	if !whole || t.sender() >= len(v.seen) || !v.blind && !v.pool.matches(t.seq(), value) {
		p.corrupt.Add(1)
		v.problem("partition %d offset %d: a value of %d bytes is not what was sent", partition, offset, len(value))
		return
	}
	v.place(p, partition, offset, t)
}

// place books a whole record of this run: once, and behind its predecessors.
func (v *Verifier) place(p *partitionCheck, partition int32, offset int64, t tag) {
	if v.blind {
		v.meet(p, t.sender())
	}
	if !v.seen[t.sender()].set(t.seq()) {
		p.twice.Add(1)
		v.problem("partition %d offset %d: record %d of sender %d for the second time", partition, offset, t.seq(), t.sender())
		return
	}
	p.digest.Add(placeDigest(t.plain(), offset))
	last := &p.last[t.sender()]
	if t.seq() < *last {
		p.back.Add(1)
		v.problem("partition %d offset %d: record %d of sender %d after its record %d", partition, offset, t.seq(), t.sender(), *last-1)
		return
	}
	*last = t.seq() + 1
}

func (v *Verifier) problem(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.problems) < maxProblems {
		v.problems = append(v.problems, fmt.Sprintf(format, args...))
	}
}

// Report compares what was read with what the run says it sent. Nothing may be
// given to Record afterwards.
func (v *Verifier) Report(l *Ledger) VerifyResult {
	r := VerifyResult{Mode: VerifyFull, Checked: []string{"read"}}
	small := int64(0)
	for i := range v.partitions {
		p := &v.partitions[i]
		r.Read += p.read.Load()
		r.Duplicated += p.twice.Load()
		r.Reordered += p.back.Load()
		r.Corrupt += p.corrupt.Load()
		r.Foreign += p.foreign.Load()
		small += p.small.Load()
	}
	if v.values != nil {
		v.reportValues(&r, l)
	} else {
		v.count(&r, l, small)
		if v.plan.Sizes.Max() >= StampSize {
			r.Checked = append(r.Checked, "lost", "duplicated", "order", "bytes")
		}
	}
	v.places(&r, l)
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Problems = append([]string{}, v.problems...)
	return r
}

// count finds what is missing. Values too small for a stamp are told apart by
// nobody: they are counted against the sequences that no stamp was seen of.
func (v *Verifier) count(r *VerifyResult, l *Ledger, small int64) {
	excused := make(map[tag]bool, len(l.Failed))
	for _, t := range l.Failed {
		excused[t] = true
		if t.sender() < len(v.seen) && v.seen[t.sender()].has(t.seq()) {
			r.FailedInLog++
		}
	}
	missing := int64(0)
	for sender, sent := range l.Sent {
		if sender >= len(v.seen) {
			missing += int64(sent)
			continue
		}
		v.seen[sender].missing(sent, func(seq uint64) bool {
			if !excused[makeTag(sender, seq)] {
				if missing++; v.plan.Sizes.Min() >= StampSize {
					v.problem("record %d of sender %d is missing", seq, sender)
				}
			}
			return true
		})
	}
	r.Read += small
	switch {
	case v.plan.Sizes.Min() >= StampSize:
		r.Lost, r.Foreign, r.Read = missing, r.Foreign+small, r.Read-small
	case small > missing+int64(len(excused)):
		r.Duplicated += small - missing - int64(len(excused))
	default:
		r.Lost = max(missing-small, 0)
	}
	if v.plan.Sizes.Min() < StampSize {
		r.Checked = append(r.Checked, "count")
		r.Note = fmt.Sprintf("values below %d bytes carry no stamp: they are counted, and their order and bytes are not checked", StampSize)
	}
	if !l.FailedAll {
		r.Incomplete = "too many records failed to list them: lost includes some that were not acknowledged"
	}
}

// places compares, partition by partition, the offsets that the broker told
// the client with those at which the records stand.
func (v *Verifier) places(r *VerifyResult, l *Ledger) {
	known := v.values != nil || v.plan.Sizes.Min() >= StampSize
	alike := known && len(l.Digests) == len(v.partitions) && len(l.Failed) == 0
	if !alike {
		return
	}
	misplaced := int64(0)
	for i := range v.partitions {
		if v.partitions[i].digest.Load() != l.Digests[i] {
			misplaced++
			v.problem("partition %d: its records do not stand at the offsets that were acknowledged", i)
		}
	}
	r.Misplaced = &misplaced
	r.Checked = append(r.Checked, "offsets")
}
