package kring

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/accum"
)

// topicSettings is what is different for one topic.
type topicSettings struct {
	linger    *time.Duration
	batchSize *int
	codec     *Codec
	memory    *int64
	bulk      bool

	acks            *Acks
	deliveryTimeout *time.Duration
}

// TopicSetting is one setting of TopicSettings.
type TopicSetting func(*topicSettings)

// TopicSettings gives one topic settings of its own; for what they do not name,
// the producer's hold, also as Reconfigure changes those. Several for one topic
// add up. Java has no such thing: it takes a producer, with its memory and its
// connections, for each.
//
//	kring.TopicSettings("clicks", kring.TopicLinger(50*time.Millisecond), kring.TopicCompression(kring.Zstd)),
//	kring.TopicSettings("orders", kring.TopicLinger(0)),
func TopicSettings(topic string, settings ...TopicSetting) Option {
	return option(func(c *config) {
		if err := checkTopic(topic); err != nil {
			c.problem("TopicSettings(%.40q): %s", topic, strings.TrimPrefix(err.Error(), "kring: "))
			return
		}
		if c.topics == nil {
			c.topics = map[string]*topicSettings{}
		}
		if c.topics[topic] == nil {
			c.topics[topic] = new(topicSettings)
		}
		for i, set := range settings {
			if set == nil {
				c.problem("TopicSettings(%q): setting %d of %d is nil", topic, i+1, len(settings))
				continue
			}
			set(c.topics[topic])
		}
	})
}

// TopicLinger is Linger for one topic.
func TopicLinger(d time.Duration) TopicSetting { return func(s *topicSettings) { s.linger = &d } }

// TopicBatchSize is BatchSize for one topic: 1 to BatchSize bytes, because
// BufferMemory is cut into pieces of that.
func TopicBatchSize(bytes int) TopicSetting { return func(s *topicSettings) { s.batchSize = &bytes } }

// TopicCompression is Compression for one topic, which may also be
// NoCompression. Its level is that of CompressionLevel.
func TopicCompression(codec Codec) TopicSetting { return func(s *topicSettings) { s.codec = &codec } }

// TopicMemory is a bulkhead: the part of BufferMemory that the records of one
// topic may take, in bytes; rounded to whole batches, at least one. A topic that
// has used it up makes its own callers wait (MaxBlock), or TryProduce return
// ErrBufferFull, while the others go on. Without it a topic may take all of
// BufferMemory.
func TopicMemory(bytes int64) TopicSetting { return func(s *topicSettings) { s.memory = &bytes } }

// TopicBulk makes a topic's records give way to those of other topics on each
// connection: they go into requests of their own, which leave when no other
// batch is ready, and leave one place of MaxInFlight free for what comes next.
// While both wait, one request in eight is theirs, so that they are delayed and
// not stopped.
func TopicBulk() TopicSetting { return func(s *topicSettings) { s.bulk = true } }

// BrokerMemory is a bulkhead around each broker: the part of BufferMemory, in
// bytes, that records may take whose partitions it leads. One broker that stands
// still then leaves the rest to the others. Rounded to whole batches, at least
// one; the default is no limit but BufferMemory. A batch counts where its
// partition was led when it was opened.
func BrokerMemory(bytes int64) Option {
	return option(func(c *config) {
		c.brokerMemory = bytes
		if bytes <= 0 {
			c.problem("BrokerMemory(%d): want at least 1 byte", bytes)
		}
	})
}

func (c *config) checkTopics() {
	if c.sound(setBufferMemory) && c.brokerMemory > c.bufferMemory {
		c.problem("BrokerMemory(%d): must be at most buffer.memory, %d", c.brokerMemory, c.bufferMemory)
	}
	for _, name := range slices.Sorted(maps.Keys(c.topics)) {
		s := c.topics[name]
		c.hasBulk = c.hasBulk || s.bulk
		bad := func(format string, args ...any) {
			c.problem("TopicSettings(%q): %s", name, fmt.Sprintf(format, args...))
		}
		c.checkTopicDelivery(s, bad)
		if n := s.batchSize; n != nil && (*n < 1 || c.sound(setBatchSize) && *n > max(c.batchSize, 1)) {
			bad("TopicBatchSize(%d) must be 1 to batch.size, %d", *n, c.batchSize)
		}
		if z := s.codec; z != nil && (*z < NoCompression || *z > Zstd) {
			bad("TopicCompression(%d): there is no such codec; want NoCompression, Gzip, Snappy, LZ4 or Zstd", *z)
		}
		if n := s.memory; n != nil && (*n < 1 || c.sound(setBufferMemory) && *n > c.bufferMemory) {
			bad("TopicMemory(%d) must be 1 to buffer.memory, %d", *n, c.bufferMemory)
		}
	}
}

// accumTopics is what accum has to know of topics with settings.
func (c *config) accumTopics() (map[string]accum.TopicConfig, error) {
	all := make(map[string]accum.TopicConfig, len(c.topics))
	for name, s := range c.topics {
		var t accum.TopicConfig
		if s.linger != nil {
			t.Linger, t.HasLinger = *s.linger, true
		}
		if s.batchSize != nil {
			t.BatchSize = *s.batchSize
		}
		if s.memory != nil {
			t.Memory = *s.memory
		}
		if s.codec != nil {
			t.OwnCompress = true
			z, err := c.compressorOf(*s.codec)
			if err != nil {
				return nil, err
			}
			if z != nil {
				t.Compressor, t.Codec = z, int16(*s.codec)
			}
		}
		all[name] = t
	}
	return all, nil
}

// compresses says that batches of some topic are compressed.
func (c *config) compresses() bool {
	for _, s := range c.topics {
		if s.codec != nil && *s.codec != NoCompression {
			return true
		}
	}
	return c.codec != NoCompression
}

// leastMemory is the narrowest bound of what a topic's records may take.
func (c *config) leastMemory(topic string) (name string, bytes int64) {
	name, bytes = "BufferMemory (buffer.memory)", c.bufferMemory
	if c.brokerMemory != 0 && c.brokerMemory < bytes {
		name, bytes = "BrokerMemory", c.brokerMemory
	}
	if s := c.topics[topic]; s != nil && s.memory != nil && *s.memory < bytes {
		name, bytes = "the topic's TopicMemory", *s.memory
	}
	return name, bytes
}
