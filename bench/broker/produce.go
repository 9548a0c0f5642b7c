package broker

const (
	keyProduce        int16 = 0
	minProduceVersion int16 = 3
	maxProduceVersion int16 = 13
	flexibleProduce   int16 = 9  // compact lengths and tags from here on
	topicIDProduce    int16 = 13 // topics by id, not by name
	leaderHintProduce int16 = 10 // KIP-951: current leader and endpoints
)

// produceRequest is a parsed request and what became of it. Its slices point
// into the read buffer and are reused by the next request of the connection.
type produceRequest struct {
	version    int16
	acks       int16
	topics     []produceTopic
	partitions []producePartition // of all topics, one after another
}

type produceTopic struct {
	name  []byte
	id    [16]byte
	first int // its partitions are partitions[first : first+count]
	count int
}

type producePartition struct {
	index   int32
	records []byte
	header  batchHeader
	plain   []byte // the records alone, decompressed; nil if not walked

	forced *PartitionError // what a hook wants answered; nil nearly always
	code   int16
	offset int64
	hint   Leader // for NOT_LEADER_OR_FOLLOWER
}

// parse reads the body of a request. False means malformed.
func (r *produceRequest) parse(version int16, body []byte) bool {
	flexible := version >= flexibleProduce
	cur := cursor{p: body}
	r.version = version
	r.topics, r.partitions = r.topics[:0], r.partitions[:0]
	cur.nullableString(flexible) // transactional id
	r.acks = cur.int16()
	cur.int32() // timeout: answers come at once
	for range cur.arrayLen(flexible) {
		t := produceTopic{first: len(r.partitions)}
		if version >= topicIDProduce {
			copy(t.id[:], cur.take(len(t.id)))
		} else {
			t.name = cur.nullableString(flexible)
		}
		t.count = cur.arrayLen(flexible)
		for range t.count {
			index, records := cur.int32(), cur.nullable(flexible)
			cur.tags(flexible)
			if cur.bad {
				return false
			}
			pr := producePartition{index: index, records: records, offset: -1}
			r.partitions = append(r.partitions, pr)
		}
		cur.tags(flexible)
		if cur.bad {
			return false
		}
		r.topics = append(r.topics, t)
	}
	cur.tags(flexible)
	return !cur.bad && len(cur.p) == 0
}

// handleProduce appends what a request brings and answers it.
func (c *conn) handleProduce(h *requestHeader, body []byte) bool {
	r := &c.produce
	known := h.version >= minProduceVersion && h.version <= c.b.cfg.MaxProduceVersion
	if !known || !r.parse(h.version, body) {
		return c.malformed()
	}
	c.requests++
	if hook := c.b.hook.Load(); hook != nil {
		return c.handleHooked(*hook, h, len(body))
	}
	c.apply(r, false)
	if !c.pause(c.n.work(len(body))) {
		return false
	}
	if r.acks == 0 {
		return !r.failed()
	}
	c.encodeProduce(r, h.correlation, 0)
	return c.send()
}

// failed says whether a batch was refused. Without acks the broker has no
// other way to say so than to end the connection.
func (r *produceRequest) failed() bool {
	for i := range r.partitions {
		if r.partitions[i].code != errNone {
			return true
		}
	}
	return false
}

// apply appends every batch of a request that it can, and notes the outcome
// beside it. What a hook forces is not appended, unless appendForced.
func (c *conn) apply(r *produceRequest, appendForced bool) {
	snapshot := c.b.topics.Load()
	for i := range r.topics {
		rt := &r.topics[i]
		var t *topic
		if r.version >= topicIDProduce {
			t = snapshot.byID[rt.id]
		} else {
			t = snapshot.byName[string(rt.name)]
		}
		parts := r.partitions[rt.first : rt.first+rt.count]
		for j := range parts {
			pr := &parts[j]
			if pr.forced == nil || appendForced {
				pr.code = c.applyPartition(r, t, pr)
			}
			if pr.forced != nil {
				pr.force(t)
			}
			c.count(pr)
		}
	}
	c.counts.flush(&c.b.stats)
}

// applyPartition appends one batch, or returns the error code.
func (c *conn) applyPartition(r *produceRequest, t *topic, pr *producePartition) int16 {
	switch {
	case t == nil && r.version >= topicIDProduce:
		return errUnknownTopicID
	case t == nil || pr.index < 0 || int(pr.index) >= len(t.partitions):
		return errUnknownTopicOrPartition
	case r.acks < -1 || r.acks > 1:
		return errInvalidRequiredAcks
	}
	if code := pr.header.check(pr.records, c.b.cfg.MaxBatchBytes); code != errNone {
		return code
	}
	if c.b.cfg.Verify != VerifyNone {
		if code := c.verify(pr); code != errNone {
			return code
		}
	}
	return c.appendBatch(t, pr)
}

// appendBatch gives the batch its offsets, unless the partition is led by
// another node or the producer's sequence forbids it.
func (c *conn) appendBatch(t *topic, pr *producePartition) int16 {
	h := &pr.header
	p := &t.partitions[pr.index]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leader != c.n.id {
		pr.hint = Leader{Node: p.leader, Epoch: p.leaderEpoch}
		return errNotLeaderOrFollower
	}
	// The number of this request, to find a partition that is named twice.
	request := c.id<<40 | c.requests
	if p.lastRequest == request {
		return errInvalidRequest
	}
	p.lastRequest = request
	var producer *producerState
	if h.idempotent() {
		if producer = p.producer(h.producerID); producer != nil {
			switch v, offset := producer.judge(h); v {
			case verdictDuplicate:
				pr.offset = offset
				c.counts.duplicates++
				return errNone
			case verdictOutOfOrder:
				return errOutOfOrderSequence
			case verdictOldEpoch:
				return errInvalidProducerEpoch
			}
		} else {
			producer = p.addProducer(h.producerID, h.producerEpoch)
		}
		producer.remember(h, p.next)
	}
	pr.offset = p.next
	p.next += int64(h.count)
	if c.b.cfg.Keep > 0 {
		p.kept.append(c.b, pr, p.leaderEpoch)
		c.b.appends.notify()
	}
	if c.b.cfg.OnRecord != nil {
		c.b.report(t, pr)
	}
	c.counts.batches++
	c.counts.records += int64(h.count)
	c.counts.bytes += int64(len(pr.records))
	return errNone
}

// count notes the outcome of a batch for Stats.
func (c *conn) count(pr *producePartition) {
	if pr.code == errNone {
		return
	}
	c.counts.rejected++
	if pr.forced != nil {
		return
	}
	switch pr.code {
	case errNotLeaderOrFollower:
		c.counts.notLeader++
	case errOutOfOrderSequence:
		c.counts.sequenceErrors++
	case errInvalidProducerEpoch:
		c.counts.epochErrors++
	case errCorruptMessage, errInvalidRecord, errMessageTooLarge:
		c.counts.batchErrors++
	}
}
