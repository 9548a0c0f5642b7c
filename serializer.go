package kring

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
)

// Serializer turns keys or values of a type into bytes, for Typed. One instance
// serves all goroutines at once.
type Serializer[T any] interface {
	// Serialize appends v to dst, which is empty and not nil, and returns
	// the result, as append does; nil is written as null. It may append
	// headers. Afterwards dst and headers belong to the caller again, which
	// uses them for other records. An error refuses the record.
	Serialize(dst []byte, topic string, v T, headers *[]Header) ([]byte, error)
}

// SerializerFunc is a function as a Serializer.
type SerializerFunc[T any] func(dst []byte, topic string, v T, headers *[]Header) ([]byte, error)

// Serialize calls f.
func (f SerializerFunc[T]) Serialize(dst []byte, topic string, v T, headers *[]Header) ([]byte, error) {
	return f(dst, topic, v, headers)
}

// StringSerializer writes the bytes of a string; an empty one is empty, not
// null. Java's, with UTF-8, writes the same.
type StringSerializer struct{}

// Serialize appends v.
func (StringSerializer) Serialize(dst []byte, _ string, v string, _ *[]Header) ([]byte, error) {
	return append(dst, v...), nil
}

// BytesSerializer writes bytes as they are, and nil as null. Java:
// ByteArraySerializer.
type BytesSerializer struct{}

// Serialize appends v, unless it is nil.
func (BytesSerializer) Serialize(dst []byte, _ string, v []byte, _ *[]Header) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return append(dst, v...), nil
}

// Int32Serializer writes four bytes, the highest first. Java:
// IntegerSerializer.
type Int32Serializer struct{}

// Serialize appends v.
func (Int32Serializer) Serialize(dst []byte, _ string, v int32, _ *[]Header) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, uint32(v)), nil
}

// Int64Serializer writes eight bytes, the highest first. Java: LongSerializer.
type Int64Serializer struct{}

// Serialize appends v.
func (Int64Serializer) Serialize(dst []byte, _ string, v int64, _ *[]Header) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}

// Float64Serializer writes the eight bytes of IEEE 754, the highest first. Java:
// DoubleSerializer.
type Float64Serializer struct{}

// Serialize appends v.
func (Float64Serializer) Serialize(dst []byte, _ string, v float64, _ *[]Header) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

// VoidSerializer writes null: for records without a key. Java: VoidSerializer.
type VoidSerializer struct{}

// Serialize returns null.
func (VoidSerializer) Serialize([]byte, string, struct{}, *[]Header) ([]byte, error) { return nil, nil }

// Nullable makes a Serializer of pointers: nil is null, as a compacted topic
// wants it for a record that deletes its key, and anything else is written by
// s.
func Nullable[T any](s Serializer[T]) Serializer[*T] {
	return SerializerFunc[*T](func(dst []byte, topic string, v *T, headers *[]Header) ([]byte, error) {
		if v == nil {
			return nil, nil
		}
		return s.Serialize(dst, topic, *v, headers)
	})
}

// JSONSerializer writes what encoding/json makes of a value, without a line
// break behind it. What would be JSON's null (a nil pointer, map, slice or
// interface) is written as Kafka's null. It allocates what encoding/json does.
type JSONSerializer[T any] struct {
	// EscapeHTML writes <, > and & as escapes, as json.Marshal does. The
	// default leaves them alone.
	EscapeHTML bool
}

// Serialize appends v as JSON.
func (s JSONSerializer[T]) Serialize(dst []byte, _ string, v T, _ *[]Header) ([]byte, error) {
	out := bytes.NewBuffer(dst)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(s.EscapeHTML)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("as JSON: %w", err)
	}
	text := bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
	if string(text[len(dst):]) == "null" {
		return nil, nil
	}
	return text, nil
}
