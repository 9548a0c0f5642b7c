package kring_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

type order struct {
	ID   int    `json:"id"`
	Note string `json:"note"`
}

// TestSerializers: the bytes are those of Java's serializers, and null is not
// empty.
func TestSerializers(t *testing.T) {
	text := "é<"
	for _, c := range []struct {
		name string
		run  func(dst []byte) ([]byte, error)
		want []byte
	}{
		{"string", with(kring.StringSerializer{}, "é<"), []byte{0xc3, 0xa9, '<'}},
		{"empty string", with(kring.StringSerializer{}, ""), []byte{}},
		{"bytes", with(kring.BytesSerializer{}, []byte{1, 2}), []byte{1, 2}},
		{"empty bytes", with(kring.BytesSerializer{}, []byte{}), []byte{}},
		{"nil bytes", with(kring.BytesSerializer{}, nil), nil},
		{"int32", with(kring.Int32Serializer{}, -2), []byte{0xff, 0xff, 0xff, 0xfe}},
		{"int64", with(kring.Int64Serializer{}, 1<<40+3), []byte{0, 0, 1, 0, 0, 0, 0, 3}},
		{"float64", with(kring.Float64Serializer{}, -2), []byte{0xc0, 0, 0, 0, 0, 0, 0, 0}},
		{"void", with(kring.VoidSerializer{}, struct{}{}), nil},
		{"nullable", with(kring.Nullable(kring.StringSerializer{}), &text), []byte(text)},
		{"null", with(kring.Nullable(kring.StringSerializer{}), nil), nil},
		{"JSON", with(kring.JSONSerializer[order]{}, order{7, "a<b\n"}), []byte(`{"id":7,"note":"a<b\n"}`)},
		{"JSON for HTML", with(kring.JSONSerializer[string]{EscapeHTML: true}, "<"), []byte(`"\u003c"`)},
		{"JSON of nothing", with(kring.JSONSerializer[*order]{}, nil), nil},
		{"JSON text null", with(kring.JSONSerializer[string]{}, "null"), []byte(`"null"`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, capacity := range []int{0, 100} {
				got, err := c.run(make([]byte, 0, capacity))
				if err != nil || string(got) != string(c.want) || (got == nil) != (c.want == nil) {
					t.Errorf("capacity %d: %q (nil: %t), %v, want %q", capacity, got, got == nil, err, c.want)
				}
			}
		})
	}
}

func with[T any](s kring.Serializer[T], v T) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) { return s.Serialize(dst, "t", v, nil) }
}

// headed writes a value and a header.
type headed struct{}

func (headed) Serialize(dst []byte, topic string, v string, headers *[]kring.Header) ([]byte, error) {
	*headers = append(*headers, kring.Header{Key: "schema", Value: []byte(topic)})
	return append(dst, v...), nil
}

// TestTyped: what was given comes out at the other end, by all three ways, from
// many goroutines, and the caller's headers stay as they are.
func TestTyped(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	typed := kring.NewTyped(p, "t", kring.Int64Serializer{}, kring.Serializer[string](headed{}))
	if typed.Topic() != "t" {
		t.Errorf("topic %q", typed.Topic())
	}
	mine := make([]kring.Header, 1, 2)
	mine[0] = kring.Header{Key: "mine", Value: []byte("1")}
	if _, err := typed.ProduceSync(patient(t), kring.TypedRecord[int64, string]{Key: 1, Value: "first", Headers: mine}); err != nil {
		t.Fatal(err)
	}
	const goroutines, each = 4, 50
	var all sync.WaitGroup
	for g := range int64(goroutines) {
		all.Go(func() {
			for i := range int64(each) {
				r := kring.TypedRecord[int64, string]{Key: g*each + i, Value: fmt.Sprint("v", g*each+i), Headers: mine}
				if i%2 == 0 && typed.TryProduce(r, nil) == nil {
					continue
				}
				if err := typed.Produce(patient(t), r, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	if extra := mine[:2][1]; extra.Key != "" {
		t.Errorf("the caller's headers were written to: %+v", extra)
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range log.Records() {
		n++
		if len(r.Key) != 8 || len(r.Headers) != 2 || string(r.Headers[0].Key) != "mine" || string(r.Headers[1].Key) != "schema" || string(r.Headers[1].Value) != "t" {
			t.Fatalf("record %d: %+v", n, r)
		}
		if want := fmt.Sprint("v", r.Key[7]); n > 1 && string(r.Value) != want {
			t.Errorf("key %d has value %q, want %q", r.Key[7], r.Value, want)
		}
	}
	if n != 1+goroutines*each {
		t.Errorf("%d records", n)
	}
}

// TestSerializationErrors: typed, with topic and part, and nothing is accepted.
func TestSerializationErrors(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	fault := errors.New("no schema")
	failing := kring.SerializerFunc[string](func([]byte, string, string, *[]kring.Header) ([]byte, error) { return nil, fault })
	panicking := kring.SerializerFunc[string](func([]byte, string, string, *[]kring.Header) ([]byte, error) { panic("boom") })
	good := kring.Serializer[string](kring.StringSerializer{})
	for _, c := range []struct {
		name       string
		key, value kring.Serializer[string]
		inKey      bool
		text       string
	}{
		{"key", failing, good, true, `kring: the key of a record to topic "t" can not be serialized, the record was not accepted: no schema`},
		{"value", good, failing, false, `kring: the value of a record to topic "t" can not be serialized, the record was not accepted: no schema`},
		{"panic", good, panicking, false, `kring: the value of a record to topic "t" can not be serialized, the record was not accepted: the serializer kring.SerializerFunc[string] panicked: boom`},
	} {
		t.Run(c.name, func(t *testing.T) {
			typed := kring.NewTyped(p, "t", c.key, c.value)
			called := func(kring.Delivery) { t.Error("called back") }
			_, syncErr := typed.ProduceSync(patient(t), kring.TypedRecord[string, string]{})
			for _, err := range []error{
				typed.Produce(patient(t), kring.TypedRecord[string, string]{}, called),
				typed.TryProduce(kring.TypedRecord[string, string]{}, called), syncErr,
			} {
				var se *kring.SerializationError
				if !errors.As(err, &se) || se.Topic != "t" || se.Key != c.inKey || err.Error() != c.text {
					t.Errorf("error %v, want %s", err, c.text)
				}
				if c.name != "panic" && !errors.Is(err, fault) {
					t.Errorf("%v does not unwrap to the serializer's error", err)
				}
			}
		})
	}
	cycle := kring.NewTyped(p, "t", kring.VoidSerializer{}, kring.JSONSerializer[any]{})
	err := cycle.Produce(patient(t), kring.TypedRecord[struct{}, any]{Value: func() {}}, nil)
	if unsupported := (*json.UnsupportedTypeError)(nil); !errors.As(err, &unsupported) {
		t.Errorf("JSON of a function: %v", err)
	}
	if got := p.Stats().AckedRecords; got != 0 {
		t.Errorf("%d records were accepted", got)
	}
}

// TestSerializersThatDoNotAppend: one that returns what it has, or replaces the
// headers, gets nothing of its own changed by the records that follow.
func TestSerializersThatDoNotAppend(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs())
	mine := []kring.Header{{Key: "mine", Value: []byte("1")}}
	through := kring.SerializerFunc[string](func(dst []byte, _ string, v string, headers *[]kring.Header) ([]byte, error) {
		*headers = mine
		return append(dst, v...), nil
	})
	// Returns the memory of its caller, unless that begins with a letter of its own.
	passes := kring.SerializerFunc[[]byte](func(dst []byte, _ string, v []byte, _ *[]kring.Header) ([]byte, error) {
		if v[0] == 'a' {
			return append(dst, v...), nil
		}
		return v, nil
	})
	typed := kring.NewTyped[[]byte, string](p, "t", passes, through)
	const long = "long enough for no buffer that was there before, which is sixty-four bytes for a key at first"
	for _, own := range []string{"short", long} {
		key := []byte(own)
		for _, k := range [][]byte{key, []byte("appended")} {
			if _, err := typed.ProduceSync(patient(t), kring.TypedRecord[[]byte, string]{Key: k, Value: "v"}); err != nil {
				t.Fatal(err)
			}
		}
		if string(key) != own {
			t.Errorf("the caller's key became %q", key)
		}
	}
	if mine[0].Key != "mine" {
		t.Errorf("the serializer's headers became %+v", mine)
	}
}
