package kring

import (
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/wire"
)

// send drains pend into one Produce request and writes it. It reports whether
// another request could follow at once. Every method here is for the holder of
// the role.
func (b *broker) send() (more bool) {
	b.dropUnsent()
	if b.id < 0 {
		b.passOn()
		return false
	}
	if b.conn != nil && b.outdated.Load() && b.conn.InFlight() == 0 {
		b.leaveAddress()
	}
	if b.conn == nil {
		b.passOn()
		if b.pend.len() > 0 {
			b.connect()
		}
		return false
	}
	if b.held() || b.outdated.Load() {
		b.passOn()
		return false
	}
	if !b.mayStart() {
		return false
	}
	b.drain()
	if len(b.chosen) == 0 {
		return false
	}
	if err := b.write(); err != nil {
		b.disconnect(err)
		return false
	}
	return b.pend.len() > 0 && b.conn != nil && b.mayStart()
}

// passOn lets go of the partitions that another broker leads, while nothing
// can be sent from here.
func (b *broker) passOn() {
	for range b.pend.len() {
		q := b.pend.pop()
		if to := q.leader.Load(); to != b && q.mayMove() {
			q.pending = false
			b.move(q, to)
			continue
		}
		b.pend.push(q)
	}
}

// mayMove says that nothing of q is left at its home: no request, and no place
// among the slow, which the next tick ends.
func (q *partition) mayMove() bool { return q.inSend == 0 && !q.slow }

// drain chooses the batches of the next request: at most one per partition,
// as the broker demands, in rotation, up to max.request.size. What does not
// fit keeps its place. Work is proportional to the partitions that are ready.
func (b *broker) drain() {
	b.chosen, b.owners, b.backlog = b.chosen[:0], b.owners[:0], false
	b.env.Identity = *b.p.identity.Load()
	if b.p.cfg.classes() {
		b.chooseByClass()
	} else {
		b.choose(func(*partition) bool { return true })
	}
}

// choose is drain for the partitions that may have a batch in this request; the
// others keep their places.
func (b *broker) choose(may func(*partition) bool) {
	size := wire.RequestOverhead(b.p.cfg.clientID) + wire.MaxLengthPrefix + len(b.p.cfg.transactionalID)
	for range b.pend.len() {
		q := b.pend.pop()
		if !may(q) || len(b.owners) > 0 && q.acks != b.owners[0].acks {
			b.pend.push(q)
			continue
		}
		q.pending = false
		if to := q.leader.Load(); to != b {
			// Nothing goes to the new leader before all that is in flight
			// here has its answer, which brings q back.
			if q.mayMove() {
				b.move(q, to)
			}
			continue
		}
		batch, wait := b.next(q)
		if batch == nil {
			b.postpone(q, wait)
			continue
		}
		cost := batch.Size() + wire.TopicOverhead(q.topic.name)
		if size+cost > b.p.cfg.maxRequestSize && len(b.chosen) > 0 {
			q.pending, b.backlog = true, true
			b.pend.pushFront(q)
			return
		}
		size += cost
		q.lastBatch.Store(int32(batch.Size()))
		q.Take(batch, &b.env)
		batch.HoldSocket()
		batch.WriteHeader()
		q.inSend++
		b.noteBacklog(q)
		b.chosen = append(b.chosen, batch)
		b.owners = append(b.owners, q)
		q.pending = true
		b.pend.push(q) // there may be more; the next drain finds out
	}
}

// next asks q for a batch and bumps the epoch if q can not go on otherwise.
func (b *broker) next(q *partition) (*accum.Batch, accum.Wait) {
	if b.p.txn != nil {
		return b.nextInTransaction(q)
	}
	batch, wait := b.nextOf(q, &b.env)
	if wait == accum.WaitBump {
		b.p.bumpEpoch(b.env.Identity)
		b.env.Identity = *b.p.identity.Load()
		batch, wait = b.nextOf(q, &b.env)
	}
	return batch, wait
}

// postpone keeps q where its news will come from. Most reasons end with a
// MarkReady or a response; time and a producer id are looked for by the tick.
func (b *broker) postpone(q *partition, wait accum.Wait) {
	switch wait {
	case accum.WaitEmpty, accum.WaitLinger:
		if q.load.Load() != 0 {
			q.load.Store(0)
		}
	case accum.WaitIdentity:
		if err := b.p.ids.fatal.Load(); err != nil {
			b.giveUp(q, *err)
			return
		}
		b.p.ids.request(b.p)
		b.slowDown(q)
	case accum.WaitBackoff, accum.WaitBump, accum.WaitTransaction:
		b.slowDown(q)
	}
}

func (b *broker) slowDown(q *partition) {
	if !q.slow {
		q.slow = true
		b.slow = append(b.slow, q)
	}
}

// write encodes the chosen batches into a request, grouped by topic, and hands
// it to the connection.
func (b *broker) write() error {
	b.groupByTopic()
	slot := b.conn.Begin()
	r := &b.reqs[slot]
	r.batches = append(r.batches[:0], b.chosen...)
	r.owners = append(r.owners[:0], b.owners...)
	r.ids, r.acks = r.ids[:0], r.owners[0].acks
	for i, q := range r.owners {
		if i > 0 && q.topic == r.owners[i-1].topic {
			r.ids = append(r.ids, r.ids[i-1]) // the topic is named once
		} else {
			r.ids = append(r.ids, *q.topic.id.Load())
		}
	}
	r.sentAt, r.written = b.env.Now, 0
	r.mark = b.depth.Sent(b.conn.InFlight(), b.env.Now)
	b.correl++
	b.encode(r)
	buf, from := r.encoder.Buf, 0
	for i, batch := range r.batches {
		b.conn.Append(buf[from:r.encoder.Cuts[i]])
		from = r.encoder.Cuts[i]
		if batch.Sender.Attempts == 1 {
			b.meters.queue.add(b.env.Now - batch.Created())
		}
		b.segments = batch.AppendSegments(b.segments[:0])
		for _, s := range b.segments {
			b.conn.Append(s)
		}
	}
	b.conn.Append(buf[from:])
	b.lastSend = b.env.Now
	b.p.stats.requests.Add(1)
	b.p.stats.batches.Add(uint64(len(r.batches)))
	return b.conn.Send(b.correl, r.acks != 0, b.env.Now+int64(b.p.cfg.requestTimeout))
}

// lastVersionWithNames is the last Produce version that names topics; later
// ones have ids.
const lastVersionWithNames = 12

// lastVersionWithoutAdding is the last Produce version with which a broker does
// not add partitions to a transaction by itself (KIP-890).
const lastVersionWithoutAdding = 11

func (b *broker) encode(r *request) {
	c := &b.p.cfg
	e := &r.encoder
	topics := 0
	r.version = b.version
	for i, q := range r.owners {
		if i > 0 && q.topic == r.owners[i-1].topic {
			continue
		}
		topics++
		if r.ids[i] == [16]byte{} {
			// The broker that answered the metadata request knows no ids.
			r.version = min(r.version, lastVersionWithNames)
		}
	}
	if b.p.txn != nil {
		e.TransactionalID = c.transactionalID
		if !b.p.txn.implicit.Load() {
			r.version = min(r.version, lastVersionWithoutAdding)
		}
	}
	e.Begin(r.version, b.correl, c.clientID, r.acks, int32(c.requestTimeout/time.Millisecond), topics)
	for i := 0; i < len(r.owners); {
		t := r.owners[i].topic
		n := i
		for n < len(r.owners) && r.owners[n].topic == t {
			n++
		}
		e.Topic(t.name, r.ids[i], n-i)
		for ; i < n; i++ {
			e.Partition(r.owners[i].Index, r.batches[i].Size())
		}
		e.EndTopic()
	}
	e.Finish()
}

// groupByTopic sorts the chosen batches so that each topic stands together. An
// insertion sort: with one topic, the usual case, it only looks.
func (b *broker) groupByTopic() {
	for i := 1; i < len(b.owners); i++ {
		for k := i; k > 0 && b.owners[k].topic.order < b.owners[k-1].topic.order; k-- {
			b.owners[k], b.owners[k-1] = b.owners[k-1], b.owners[k]
			b.chosen[k], b.chosen[k-1] = b.chosen[k-1], b.chosen[k]
		}
	}
}
