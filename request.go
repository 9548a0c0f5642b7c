package kring

import (
	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/internal/depth"
	"github.com/kring-go/kring/wire"
)

// maxRequests is the size of the array of requests in flight; it is the array
// of netio.Conn that it mirrors.
const maxRequests = maxInFlight

// request is what the sender keeps of one request in flight.
type request struct {
	encoder wire.ProduceEncoder // its buffer holds the bytes between the batches
	batches []*accum.Batch
	owners  []*partition
	ids     [][16]byte // of the owners' topics, as they were sent
	version int16      // of this request: topics without an id need an older one
	acks    int16      // that all of its owners want
	sentAt  int64
	written int64 // when the last byte had left; 0: not yet
	mark    depth.Mark
}

// find is the index of the batch that res answers. Answers come in the order
// of the request, so the search starts at next.
func (r *request) find(res *wire.PartitionResult, next int) int {
	n := len(r.batches)
	for i := range n {
		k := (next + i) % n
		q := r.owners[k]
		if r.batches[k] != nil && q.Index == res.Partition && r.isTopic(k, res) {
			return k
		}
	}
	return -1
}

// isTopic compares with the id that was sent: metadata may have brought
// another one since, of a topic that was deleted and created again.
func (r *request) isTopic(k int, res *wire.PartitionResult) bool {
	if len(res.Topic) > 0 {
		return string(res.Topic) == r.owners[k].topic.name
	}
	return res.TopicID == r.ids[k]
}

func (r *request) clear() {
	for i := range r.owners {
		r.owners[i] = nil
	}
	r.batches, r.owners = r.batches[:0], r.owners[:0]
}
