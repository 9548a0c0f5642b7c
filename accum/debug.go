package accum

import "fmt"

// Debug describes the sender side of p in one line. Only for the holder of the
// role.
func (p *Partition) Debug() string {
	s := &p.sender
	open := "none"
	if w := p.open.load(); w.closed() {
		open = "closed"
	} else if !w.empty() {
		st := p.acc.batch(w.index()).state.load()
		open = fmt.Sprintf("batch %d (%d records, %d writers, sealed %t)", w.index(), st.count(), st.writers(), st.sealed())
	}
	own, working := p.ownStrands(), 0
	for _, q := range own {
		if !q.idleNow() || !q.head.empty() {
			working++
		}
	}
	if len(own) > 0 {
		open += fmt.Sprintf(", and %d of %d own strands at work", working, len(own))
	}
	return fmt.Sprintf("open %s, head %t, first %t, queued %d, %d to retry, %d in flight, sequences %+v",
		open, !p.head.empty(), !p.first.load().empty(), p.queued.Load(), len(s.retry), len(s.inflight), s.seq)
}
