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

// NewTyped makes a Typed for a topic. to is usually the Producer.
func NewTyped[K, V any](to Sender, topic string, key Serializer[K], value Serializer[V]) *Typed[K, V] {
	if p, ok := to.(*Producer); ok {
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
	headers    []Header
}

// mostKept bounds the memory of buffers that wait for the next record: a rare
// large one must not stay for ever.
const mostKept = 64 << 10

func (t *Typed[K, V]) take() *typedBuffers { return t.buffers.Get().(*typedBuffers) }

func (t *Typed[K, V]) giveBack(b *typedBuffers) {
	if cap(b.key) > mostKept || cap(b.value) > mostKept {
		return
	}
	clear(b.headers) // they point to the caller's memory
	b.key, b.value, b.headers = b.key[:0], b.value[:0], b.headers[:0]
	t.buffers.Put(b)
}

// serialize makes a Record whose slices are b's.
func (t *Typed[K, V]) serialize(b *typedBuffers, r *TypedRecord[K, V]) (Record, error) {
	b.headers = append(b.headers, r.Headers...)
	key, err := serializeOne(t.key, b.key, t.topic, r.Key, &b.headers)
	if err != nil {
		return Record{}, &SerializationError{Topic: t.topic, Key: true, Err: err}
	}
	value, err := serializeOne(t.value, b.value, t.topic, r.Value, &b.headers)
	if err != nil {
		return Record{}, &SerializationError{Topic: t.topic, Err: err}
	}
	if key != nil {
		b.key = key // it may have grown
	}
	if value != nil {
		b.value = value
	}
	return Record{
		Topic: t.topic, Partition: r.Partition, Key: key, Value: value,
		Headers: b.headers, Timestamp: r.Timestamp, Deadline: r.Deadline, Tag: r.Tag,
	}, nil
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
