package kring

// AdaptiveDepth lets the number of requests in flight follow the broker, below
// the ceiling of MaxInFlight: as few as keep it busy, and as many as a long way
// there needs. A request that is held back goes on collecting records, where one
// more in the broker's queue could not. Full batches that wait, and a buffer
// that is used up, open the ceiling at once. Stats.Depths says where it stands.
// The default is on; off, every connection uses its MaxInFlight as Java does.
// Acks of none are not answered, so nothing follows. docs/adr/0011 has the model
// and the figures. It is kring's own: kring.adaptive.depth.
func AdaptiveDepth(on bool) Option {
	return option(func(c *config) { c.adaptiveDepth = on })
}

// depthProperty is kring's own: Java has nothing like AdaptiveDepth.
const depthProperty = "kring.adaptive.depth"

// BrokerDepth is how many requests one connection may have in flight.
type BrokerDepth struct {
	Broker     int32
	Connection int // 0, or below ConnectionsPerBroker
	Depth      int // between 1 and MaxInFlight
}

// Everything below is for the holder of the role.

// mayStart says that a request could be sent now, if there is one. What it
// holds back is sent by the turn that finds the next answer.
func (b *broker) mayStart() bool {
	if !b.conn.CanSend() || b.env.Now < b.throttled {
		return false
	}
	if !b.p.cfg.adaptiveDepth {
		return true
	}
	b.depth.Force(b.backlog || b.p.acc.Pressed())
	return b.depth.Open(b.conn.InFlight())
}

// noteBacklog is told of every partition that a batch was chosen of. If another
// one is complete already, holding back the next request fills nothing any more.
func (b *broker) noteBacklog(q *partition) {
	const completeAndOpen = 2
	if b.p.cfg.adaptiveDepth && !b.backlog {
		b.backlog = q.Backlog(completeAndOpen) == completeAndOpen
	}
}

// noteBehind is noteBacklog for a partition that has news while the gate is
// closed: it tells when a complete batch stands behind one that will be sent.
func (b *broker) noteBehind(q *partition) {
	const twoCompleteAndOpen = 3
	if !b.p.cfg.adaptiveDepth || b.backlog || b.conn == nil || b.conn.InFlight() < b.depth.Depth() || !q.pending || q.home.Load() != b {
		return
	}
	b.backlog = q.Backlog(twoCompleteAndOpen) == twoCompleteAndOpen
}

// resetDepth is for a new connection: what was measured was another way.
func (b *broker) resetDepth() {
	b.depth.Reset(b.p.cfg.maxInFlight)
	b.backlog = false
	b.showDepth()
}

// answered is told when the answer to r has come.
func (b *broker) answered(r *request, now int64) {
	if b.p.cfg.adaptiveDepth {
		b.depth.Answered(r.mark, now)
		b.showDepth()
	}
}

// showDepth is for Stats, which does not wait for the role.
func (b *broker) showDepth() {
	if d := int32(b.depth.Depth()); d != b.depthNow.Load() {
		b.depthNow.Store(d)
	}
}
