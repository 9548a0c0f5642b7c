package broker

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// signal wakes Fetch requests that wait for records. Nobody waiting costs the
// appender one load.
type signal struct {
	waiting atomic.Int32
	mu      sync.Mutex
	ch      chan struct{}
}

// wait returns a channel that the next notify closes. The caller must look for
// records after it and call done in the end.
func (s *signal) wait() <-chan struct{} {
	s.waiting.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) done() { s.waiting.Add(-1) }

func (s *signal) notify() {
	if s.waiting.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// fetchLimit bounds an answer, whatever the client asks for.
const fetchLimit = 50 << 20

// fetch answers with kept batches, waiting for some if there are none. False
// means that the connection ended meanwhile.
func (c *conn) fetch(req *kmsg.FetchRequest) (kmsg.Response, bool) {
	c.b.stats.fetch.Add(1)
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	if req.SessionID != 0 { // every answer says 0: there are no sessions
		resp.ErrorCode = errFetchSessionNotFound
		return resp, true
	}
	deadline := time.Now().Add(time.Duration(req.MaxWaitMillis) * time.Millisecond)
	for {
		news := c.b.appends.wait()
		ready := c.collect(req, resp)
		left := time.Until(deadline)
		if ready || left <= 0 {
			c.b.appends.done()
			return resp, true
		}
		timer := time.NewTimer(left)
		select {
		case <-news:
		case <-timer.C:
		case <-c.done:
		}
		timer.Stop()
		c.b.appends.done()
		select {
		case <-c.done:
			return nil, false
		default:
		}
	}
}

// collect fills in resp. True means that it should go out at once: enough
// bytes, or an error.
func (c *conn) collect(req *kmsg.FetchRequest, resp *kmsg.FetchResponse) bool {
	resp.Topics = resp.Topics[:0]
	budget := min(int(req.MaxBytes), fetchLimit)
	total, failed := 0, false
	for _, rt := range req.Topics {
		ft := kmsg.NewFetchResponseTopic()
		ft.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			fp := c.b.fetchPartition(c.n.id, rt.Topic, &rp, budget-total, total == 0)
			total += len(fp.RecordBatches)
			failed = failed || fp.ErrorCode != errNone
			ft.Partitions = append(ft.Partitions, fp)
		}
		resp.Topics = append(resp.Topics, ft)
	}
	return failed || total >= int(max(req.MinBytes, 0))
}

// fetchPartition reads one partition. The first one that has records sends at
// least a batch, however small the budget.
func (b *Broker) fetchPartition(
	node int32, topic string, rp *kmsg.FetchRequestTopicPartition, budget int, first bool,
) kmsg.FetchResponseTopicPartition {
	fp := kmsg.NewFetchResponseTopicPartition()
	fp.Partition = rp.Partition
	fp.RecordBatches = []byte{} // null confuses some clients
	p, err := b.partition(topic, rp.Partition)
	if err != nil {
		fp.ErrorCode = errUnknownTopicOrPartition
		fp.HighWatermark = -1
		return fp
	}
	p.mu.Lock()
	leader, start, end := p.leader, p.kept.start(p.next), p.next
	var batches [][]byte
	limit := min(int(rp.PartitionMaxBytes), budget)
	if rp.FetchOffset >= start && rp.FetchOffset < end && (first || limit > 0) {
		batches = p.kept.read(rp.FetchOffset, limit)
	}
	p.mu.Unlock()
	fp.HighWatermark, fp.LastStableOffset, fp.LogStartOffset = end, end, start
	switch {
	case leader != node:
		fp.ErrorCode = errNotLeaderOrFollower
	case rp.FetchOffset < start || rp.FetchOffset > end:
		fp.ErrorCode = errOffsetOutOfRange
	default:
		for i, batch := range batches {
			if i == 0 && !first && len(batch) > budget {
				break
			}
			fp.RecordBatches = append(fp.RecordBatches, batch...)
		}
	}
	return fp
}

// listOffsets knows the start (-2), the end (-1), the newest timestamp (-3) and
// the first batch at or after a time.
func (c *conn) listOffsets(req *kmsg.ListOffsetsRequest) kmsg.Response {
	c.b.stats.listOffsets.Add(1)
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	for _, rt := range req.Topics {
		lt := kmsg.NewListOffsetsResponseTopic()
		lt.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			lp := c.b.listPartition(c.n.id, rt.Topic, rp.Partition, rp.Timestamp)
			lt.Partitions = append(lt.Partitions, lp)
		}
		resp.Topics = append(resp.Topics, lt)
	}
	return resp
}

func (b *Broker) listPartition(
	node int32, topic string, partition int32, timestamp int64,
) kmsg.ListOffsetsResponseTopicPartition {
	lp := kmsg.NewListOffsetsResponseTopicPartition()
	lp.Partition = partition
	p, err := b.partition(topic, partition)
	if err != nil {
		lp.ErrorCode = errUnknownTopicOrPartition
		return lp
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leader != node {
		lp.ErrorCode = errNotLeaderOrFollower
		return lp
	}
	lp.LeaderEpoch = p.leaderEpoch
	switch timestamp {
	case -1:
		lp.Offset = p.next
	case -2:
		lp.Offset = p.kept.start(p.next)
	default:
		if kb, ok := p.kept.find(timestamp); ok {
			lp.Offset, lp.Timestamp = kb.base, kb.maxTimestamp
		}
	}
	return lp
}
