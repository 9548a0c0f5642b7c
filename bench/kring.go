package bench

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"github.com/kring-go/kring"
)

// Kring is the library of this repository.
func Kring() Library {
	return Library{
		Name:    "kring",
		Version: Version(),
		New:     newKring,
		Dials:   true,
		Check: func(s Settings) error {
			_, err := s.read(s.kringProperties())
			return err
		},
	}
}

// kringProperties is what the user named, and the typed settings in Java's
// words, so that one set of rules judges both.
func (s *Settings) kringProperties() map[string]string {
	props := map[string]string{}
	for name, value := range s.Props {
		if name != writers {
			props[name] = value
		}
	}
	if s.ClientID != "" {
		props["client.id"] = s.ClientID
	}
	if s.Defaults {
		return props
	}
	props["acks"], props["enable.idempotence"] = s.Acks, strconv.FormatBool(s.Idempotent)
	if s.BatchSize > 0 {
		props["batch.size"] = strconv.Itoa(s.BatchSize)
	}
	if s.BufferBytes > 0 {
		props["buffer.memory"] = strconv.FormatInt(s.BufferBytes, 10)
	}
	if s.Compression != "" {
		props["compression.type"] = s.Compression
	}
	if s.MaxInFlight > 0 {
		props["max.in.flight.requests.per.connection"] = strconv.Itoa(s.MaxInFlight)
	}
	return props
}

// writers is the property that keeps senders from having a Writer each: "false".
const writers = "kring.writers"

// serially says that callbacks run on one goroutine: on one lane, not inline.
func (s *Settings) serially() bool {
	inline, lanes := s.Props["kring.delivery.inline"], s.Props["kring.completion.lanes"]
	return (inline == "" || strings.EqualFold(inline, "false")) && (lanes == "" || lanes == "1")
}

// kringClient drives one producer. Its topic handle skips the lookup of the
// name, as an application that sends to one topic would.
type kringClient struct {
	producer *kring.Producer
	serial   bool
	topic    *kring.Topic
	callback kring.Callback
}

func newKring(s Settings, done Done) (Client, error) {
	options, err := s.read(s.kringProperties())
	if err != nil {
		return nil, UsageError(err)
	}
	options = append(options, kring.Brokers(s.Brokers...))
	if !s.Defaults {
		// As a duration: Java's property has whole milliseconds.
		options = append(options, kring.Linger(s.Linger))
	}
	if s.Dial != nil {
		options = append(options, kring.WithDialer(kring.DialFunc(s.Dial)))
	}
	p, err := kring.New(options...)
	if err != nil {
		return nil, UsageError(err)
	}
	c := &kringClient{
		producer: p,
		serial:   s.serially(),
		topic:    p.Topic(s.Topic),
		callback: func(d kring.Delivery) { done(d.Tag, d.Partition, d.Offset, d.Err) },
	}
	if s.Props[writers] == "false" {
		return c, nil
	}
	batch, memory := cmp.Or(int64(s.BatchSize), 16<<10), cmp.Or(s.BufferBytes, 32<<20)
	return kringWriters{c, memory / batch}, nil
}

func (c *kringClient) Produce(ctx context.Context, r *Record) error {
	var record kring.Record
	fillKring(&record, r)
	return c.topic.ProduceRecord(ctx, &record, c.callback)
}

func fillKring(record *kring.Record, r *Record) {
	record.Key, record.Value, record.Tag = r.Key, r.Value, r.Tag
	if r.Partition >= 0 {
		record.Partition = kring.On(r.Partition)
	}
}

// kringWriters is a client with a Writer for each sender, as a program whose
// goroutines are always busy would have it.
type kringWriters struct {
	*kringClient
	batches int64 // that memory is there for
}

// Sender implements PerSender. Every Writer has a batch of its own open for each
// partition; if these took more than a quarter of the memory they would be no
// help.
func (c kringWriters) Sender(senders, partitions int) Handle {
	if int64(senders)*int64(partitions) > c.batches/4 {
		return nil
	}
	return kringWriter{c.topic.NewWriter(), c.callback}
}

type kringWriter struct {
	w        *kring.Writer
	callback kring.Callback
}

func (h kringWriter) Produce(ctx context.Context, r *Record) error {
	var record kring.Record
	fillKring(&record, r)
	return h.w.ProduceRecord(ctx, &record, h.callback)
}

func (c *kringClient) Flush(ctx context.Context) error { return c.producer.Flush(ctx) }
func (c *kringClient) Close(ctx context.Context) error { return c.producer.Close(ctx) }

// Producer is what the client drives, for those who know that it is kring's.
func (c *kringClient) Producer() *kring.Producer { return c.producer }

// CompletesSerially implements Serial.
func (c *kringClient) CompletesSerially() bool { return c.serial }

// Counts implements Counter.
func (c *kringClient) Counts() (requests, batches int64) {
	s := c.producer.Stats()
	return int64(s.Requests), int64(s.Batches)
}

// Buffered implements Buffered.
func (c *kringClient) Buffered() (used, total int64) {
	s := c.producer.Stats()
	return s.BufferTotal - s.BufferFree, s.BufferTotal
}
