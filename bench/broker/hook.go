package broker

import (
	"encoding/binary"
	"net"
	"time"
)

// Hook is called for every Produce request that could be parsed, before
// anything of it is applied, and scripts what happens to it. Connections call
// it at the same time, each for its own requests.
type Hook func(*ProduceInfo) Action

// SetHook replaces the hook from the next request on; nil takes it away.
func (b *Broker) SetHook(h Hook) {
	if h == nil {
		b.hook.Store(nil)
		return
	}
	b.hook.Store(&h)
}

// ProduceInfo is what a hook is told. It is the hook's to keep, except Records.
type ProduceInfo struct {
	Node        int32
	Conn        uint64 // number of the connection, from 1
	Request     uint64 // number of the Produce request on it, from 1
	Version     int16
	Correlation int32
	ClientID    string
	Acks        int16
	Partitions  []PartitionInfo
}

// PartitionInfo is one batch of the request. The numbers are those of its
// header, zero if it has no valid one.
type PartitionInfo struct {
	Topic         string // empty if the topic id is unknown
	Partition     int32
	Count         int32
	ProducerID    int64
	ProducerEpoch int16
	BaseSequence  int32
	Records       []byte // the batch; valid during the call
}

// Action is what happens to a request. The zero Action is nothing special. The
// fields are looked at in the order in which they stand here.
type Action struct {
	// Stall holds the request back until the channel is closed, and Wait for
	// that long; both before anything is applied.
	Stall <-chan struct{}
	Wait  time.Duration
	// DropBefore ends the connection, and nothing is applied.
	DropBefore bool
	// Errors answers codes of the hook's choice. Those batches are not
	// appended, unless AppendAnyway.
	Errors       []PartitionError
	AppendAnyway bool
	// StallAnswer and WaitAnswer are Stall and Wait after applying.
	StallAnswer <-chan struct{}
	WaitAnswer  time.Duration
	// ThrottleMs is written into the answer.
	ThrottleMs int32
	// CorrelationDelta is added to the correlation id of the answer.
	CorrelationDelta int32
	// Rewrite may replace the whole answer, with its four bytes of length.
	// Returning nil writes none, and the connection stays.
	Rewrite func(frame []byte) []byte
	// DropAfter ends the connection after AnswerBytes of the answer.
	DropAfter   bool
	AnswerBytes int
	// Reset ends the connection by RST instead of FIN, with either drop.
	Reset bool
}

// AllPartitions as a PartitionError's Partition, with an empty Topic, means
// every batch of the request.
const AllPartitions int32 = -1

// PartitionError is the answer for one batch.
type PartitionError struct {
	Topic     string // empty: any topic
	Partition int32  // AllPartitions: any
	Code      int16
	Message   string        // v8 and newer
	Records   []RecordError // v8 and newer
	// Hint is the current leader to tell with NOT_LEADER_OR_FOLLOWER (v10 and
	// newer). Nil tells the truth.
	Hint *Leader
}

// RecordError blames one record of a batch.
type RecordError struct {
	Index   int32
	Message string
}

// Leader is who leads a partition.
type Leader struct {
	Node, Epoch int32
}

// handleHooked is handleProduce for requests, of size bytes, that a hook looks at.
func (c *conn) handleHooked(hook Hook, h *requestHeader, size int) bool {
	r := &c.produce
	act := hook(c.info(h))
	if !c.await(act.Stall) || !c.pause(act.Wait) {
		return false
	}
	if act.DropBefore {
		return c.drop(act.Reset)
	}
	c.assignErrors(r, act.Errors)
	c.apply(r, act.AppendAnyway)
	if !c.pause(c.n.work(size)) || !c.await(act.StallAnswer) || !c.pause(act.WaitAnswer) {
		return false
	}
	if r.acks == 0 {
		if act.DropAfter {
			return c.drop(act.Reset)
		}
		return !r.failed()
	}
	c.encodeProduce(r, h.correlation+act.CorrelationDelta, act.ThrottleMs)
	return c.sendScripted(&act)
}

// sendScripted writes the answer as the hook wants it. A scripted answer that
// is cut short or rewritten passes by the delay line.
func (c *conn) sendScripted(act *Action) bool {
	if act.Rewrite == nil && !act.DropAfter {
		return c.send()
	}
	binary.BigEndian.PutUint32(c.out, uint32(len(c.out)-4))
	frame := c.out
	if act.Rewrite != nil {
		frame = act.Rewrite(frame)
	}
	if act.DropAfter {
		frame = frame[:max(0, min(act.AnswerBytes, len(frame)))]
	}
	if len(frame) > 0 {
		if _, err := c.nc.Write(frame); err != nil {
			return false
		}
	}
	if act.DropAfter {
		return c.drop(act.Reset)
	}
	return true
}

// drop ends the connection. RST loses what the peer has not read yet.
func (c *conn) drop(reset bool) bool {
	if tcp, ok := c.nc.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // best effort: a FIN ends it as well
	}
	c.close()
	return false
}

// await waits for a hook's channel unless the connection ends first.
func (c *conn) await(release <-chan struct{}) bool {
	if release == nil {
		return true
	}
	select {
	case <-release:
		return true
	case <-c.done:
		return false
	}
}

// info describes the request to a hook.
func (c *conn) info(h *requestHeader) *ProduceInfo {
	r := &c.produce
	info := &ProduceInfo{
		Node: c.n.id, Conn: c.id, Request: c.requests, Version: h.version,
		Correlation: h.correlation, ClientID: string(h.clientID), Acks: r.acks,
		Partitions: make([]PartitionInfo, 0, len(r.partitions)),
	}
	for i := range r.topics {
		rt := &r.topics[i]
		name := c.topicName(r, rt)
		for j := rt.first; j < rt.first+rt.count; j++ {
			pr := &r.partitions[j]
			p := PartitionInfo{Topic: name, Partition: pr.index, Records: pr.records}
			var bh batchHeader
			if bh.check(pr.records, maxFrame) == errNone {
				p.Count, p.ProducerID = bh.count, bh.producerID
				p.ProducerEpoch, p.BaseSequence = bh.producerEpoch, bh.baseSequence
			}
			info.Partitions = append(info.Partitions, p)
		}
	}
	return info
}

// topicName is the name of a topic that may have come as an id.
func (c *conn) topicName(r *produceRequest, rt *produceTopic) string {
	if r.version < topicIDProduce {
		return string(rt.name)
	}
	if t := c.b.topics.Load().byID[rt.id]; t != nil {
		return t.name
	}
	return ""
}

// assignErrors notes beside each batch what the hook wants answered.
func (c *conn) assignErrors(r *produceRequest, errs []PartitionError) {
	if len(errs) == 0 {
		return
	}
	for i := range r.topics {
		rt := &r.topics[i]
		name := c.topicName(r, rt)
		for j := rt.first; j < rt.first+rt.count; j++ {
			pr := &r.partitions[j]
			for k := range errs {
				if errs[k].means(name, pr.index) {
					pr.forced = &errs[k]
					break
				}
			}
		}
	}
}

// means says whether the error is for a partition.
func (e *PartitionError) means(topic string, partition int32) bool {
	return (e.Topic == "" || e.Topic == topic) &&
		(e.Partition == AllPartitions || e.Partition == partition)
}

// force replaces the outcome of a batch by what the hook wants.
func (pr *producePartition) force(t *topic) {
	pr.code, pr.offset = pr.forced.Code, -1
	switch {
	case pr.forced.Hint != nil:
		pr.hint = *pr.forced.Hint
	case t != nil && pr.index >= 0 && int(pr.index) < len(t.partitions):
		p := &t.partitions[pr.index]
		p.mu.Lock()
		pr.hint = Leader{Node: p.leader, Epoch: p.leaderEpoch}
		p.mu.Unlock()
	default:
		pr.hint = Leader{Node: -1, Epoch: -1}
	}
}

// encode appends the record errors and the message of the answer; a nil e has
// neither.
func (e *PartitionError) encode(out []byte, flexible bool) []byte {
	if e == nil {
		out = appendArrayLen(out, 0, flexible)
		return appendNullableString(out, "", flexible)
	}
	out = appendArrayLen(out, len(e.Records), flexible)
	for _, r := range e.Records {
		out = binary.BigEndian.AppendUint32(out, uint32(r.Index))
		out = appendNullableString(out, r.Message, flexible)
		if flexible {
			out = append(out, 0)
		}
	}
	return appendNullableString(out, e.Message, flexible)
}
