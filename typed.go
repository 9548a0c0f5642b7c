package kring

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Sender is what a Typed hands its records to: a *Producer, a *Topic, or a
// double in a test.
type Sender interface {
	Produce(ctx context.Context, r Record, cb Callback) error
	TryProduce(r Record, cb Callback) error
	ProduceSync(ctx context.Context, r Record) (Delivery, error)
}

// Typed produces keys and values of Go types to one topic. It is safe for use
// by any number of goroutines, needs no closing, and costs no allocation per
// record beyond those of its serializers.
//
//	TypedRecord ─► key Serializer, value Serializer ─► Record ─► Produce
//	                     │ error
//	                     ▼
//	             *SerializationError to the caller; nothing was accepted
type Typed[K, V any] struct {
	to    Sender
	topic string
	key   Serializer[K]
	value Serializer[V]
	// buffers are free for the next record: Produce copies what is in them.
	buffers sync.Pool
}

// TypedRecord is a Record before serialization; its fields mean the same.
type TypedRecord[K, V any] struct {
	Key       K
	Value     V
	Partition Target
	Headers   []Header
	Timestamp time.Time
	Deadline  time.Time
	Tag       uint64
}

// SerializationError is why a Typed refused a record: a Serializer returned an
// error, or panicked. It unwraps to that error.
type SerializationError struct {
	// Topic is where the record should have gone.
	Topic string
	// Key says that it was the key, and not the value.
	Key bool
	// Err is the Serializer's.
	Err error
}

// Error names the topic and whether it was the key or the value. It has
// nothing of either, except in the words of the Serializer.
func (e *SerializationError) Error() string {
	return fmt.Sprintf("kring: the %s of a record to topic %q can not be serialized, the record was not accepted: %v", e.part(), e.Topic, e.Err)
}

func (e *SerializationError) part() string {
	if e.Key {
		return "key"
	}
	return "value"
}

// Unwrap returns the Serializer's error.
func (e *SerializationError) Unwrap() error { return e.Err }

// NewTyped makes a Typed for a topic. to is usually the Producer. It panics if to
// is nil, as it is where New has returned an error. A Typed that it did not make
// can not be used.
func NewTyped[K, V any](to Sender, topic string, key Serializer[K], value Serializer[V]) *Typed[K, V] {
	p, ok := to.(*Producer)
	if to == nil || ok && !p.made() {
		panic(fmt.Sprintf("kring: NewTyped: the Sender for topic %q is nil, want a Producer that New has made", topic))
	}
	if ok {
		to = p.Topic(topic) // spares the look-up by name
	}
	t := &Typed[K, V]{to: to, topic: topic, key: key, value: value}
	t.buffers.New = func() any {
		return &typedBuffers{key: make([]byte, 0, 64), value: make([]byte, 0, 512)}
	}
	return t
}

// Topic is the name of the topic.
func (t *Typed[K, V]) Topic() string { return t.topic }

// Produce is Producer.Produce after serialization.
func (t *Typed[K, V]) Produce(ctx context.Context, r TypedRecord[K, V], cb Callback) error {
	b := t.take()
	defer t.giveBack(b)
	out, err := t.serialize(b, &r)
	if err != nil {
		return err
	}
	return t.to.Produce(ctx, out, cb)
}

// TryProduce is Producer.TryProduce after serialization. Where it returns
// ErrBufferFull, the serialization was in vain.
func (t *Typed[K, V]) TryProduce(r TypedRecord[K, V], cb Callback) error {
	b := t.take()
	defer t.giveBack(b)
	out, err := t.serialize(b, &r)
	if err != nil {
		return err
	}
	return t.to.TryProduce(out, cb)
}

// ProduceSync is Producer.ProduceSync after serialization.
func (t *Typed[K, V]) ProduceSync(ctx context.Context, r TypedRecord[K, V]) (Delivery, error) {
	b := t.take()
	defer t.giveBack(b)
	out, err := t.serialize(b, &r)
	if err != nil {
		return Delivery{}, err
	}
	return t.to.ProduceSync(ctx, out)
}

// typedBuffers are what one record is serialized into.
type typedBuffers struct {
	key, value []byte
	room       []Header // for headers
	headers    []Header // of the record; serializers may replace them
}

// mostKept bounds the buffers that wait for the next record: a rare large one
// must not stay for ever.
const mostKept = 64 << 10

func (t *Typed[K, V]) take() *typedBuffers { return t.buffers.Get().(*typedBuffers) }

func (t *Typed[K, V]) giveBack(b *typedBuffers) {
	clear(b.room[:cap(b.room)]) // they point to the caller's memory
	if n := len(b.headers); n > cap(b.room) {
		b.room = make([]Header, 0, n)
	}
	b.headers = nil
	t.buffers.Put(b)
}

// serialize makes a Record whose slices are b's.
func (t *Typed[K, V]) serialize(b *typedBuffers, r *TypedRecord[K, V]) (Record, error) {
	b.room = append(b.room[:0], r.Headers...)
	b.headers = b.room
	key, err := serializeOne(t.key, b.key, t.topic, r.Key, &b.headers)
	if err != nil {
		return Record{}, &SerializationError{Topic: t.topic, Key: true, Err: err}
	}
	value, err := serializeOne(t.value, b.value, t.topic, r.Value, &b.headers)
	if err != nil {
		return Record{}, &SerializationError{Topic: t.topic, Err: err}
	}
	b.key, b.value = roomFor(b.key, key), roomFor(b.value, value)
	return Record{
		Topic: t.topic, Partition: r.Partition, Key: key, Value: value,
		Headers: b.headers, Timestamp: r.Timestamp, Deadline: r.Deadline, Tag: r.Tag,
	}, nil
}

// roomFor is kept, or where out was longer, a buffer that would have done. Not out
// itself: it is the caller's where a Serializer returns what it has, and does not
// append it.
func roomFor(kept, out []byte) []byte {
	if len(out) <= cap(kept) || len(out) > mostKept {
		return kept
	}
	return make([]byte, 0, len(out)+len(out)/4)
}

// serializeOne calls user code.
func serializeOne[T any](s Serializer[T], dst []byte, topic string, v T, headers *[]Header) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("the serializer %T panicked: %v", s, p)
		}
	}()
	return s.Serialize(dst, topic, v, headers)
}
