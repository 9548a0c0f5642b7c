package accum

import (
	"sync/atomic"
	"time"
)

// TopicConfig is what is different for the partitions of one topic. It does not
// change.
type TopicConfig struct {
	Linger      time.Duration
	HasLinger   bool // else Config.Linger, or what it became
	BatchSize   int  // at most Config's; 0: Config's, or what it became
	Compressor  Compressor
	Codec       int16
	OwnCompress bool // Compressor, which may be nil, and Codec count
	Memory      int64
}

// topic is what the partitions of a topic share.
type topic struct {
	TopicConfig
	method *method // of OwnCompress
	ratio  *ratio
	share  *Share // nil: as much of the memory as there is
}

func (a *Accumulator) newTopic(c TopicConfig) *topic {
	t := &topic{TopicConfig: c, ratio: newRatio(), share: a.NewShare(c.Memory)}
	if c.Compressor != nil {
		t.method = &method{c.Compressor, c.Codec}
	}
	return t
}

// topicOf is what is known of a topic; its partitions share it.
func (a *Accumulator) topicOf(name string) *topic {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.topics[name]
	if t == nil {
		t = a.newTopic(a.cfg.Topics[name])
		a.topics[name] = t
	}
	return t
}

// Linger is how long an open batch of p may wait for more records.
func (p *Partition) Linger() time.Duration {
	if p.topic.HasLinger {
		return p.topic.Linger
	}
	return p.acc.Linger()
}

// BatchSize is the bytes at which a batch of p is full, as it is sent.
func (p *Partition) BatchSize() int {
	if p.topic.BatchSize > 0 {
		return p.topic.BatchSize
	}
	return p.acc.BatchSize()
}

// method is what batches of p are compressed with; nil: they are not.
func (p *Partition) method() *method {
	if p.topic.OwnCompress {
		return p.topic.method
	}
	return p.acc.packing.method.Load()
}

// limitNow is how many bytes a batch of p may hold before it is compressed.
func (p *Partition) limitNow() int {
	if p.method() == nil {
		return p.BatchSize()
	}
	return p.acc.limitAt(p.BatchSize(), p.topic.ratio.estimate())
}

// SetBrokerShare says whose share of the memory the batches of p take from that
// are opened from now on; nil: nobody's. It is for whoever decides where p is
// led.
func (p *Partition) SetBrokerShare(s *Share) { p.brokerShare.Store(s) }

// pressed says that records wait for memory that only batches of p's shares can
// give: every batch of p is ready.
func (p *Partition) pressed() bool {
	return p.topic.share.pressed() || p.brokerShare.Load().pressed()
}

// brokerShare is a share that may change.
type brokerShare = atomic.Pointer[Share]
