package kring_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// renamer is an interceptor that changes all it can.
type renamer struct{}

func (renamer) OnSend(r kring.Record) kring.Record {
	r.Value, r.Key, r.Headers = append([]byte("changed "), r.Value...), nil, nil
	return r
}
func (renamer) OnAcknowledgement(kring.Delivery) {}

// TestProduceRecord: one Record, used again and again, is only read, also by an
// interceptor, and what is written into it afterwards changes no record.
func TestProduceRecord(t *testing.T) {
	type method func(p *kring.Producer, w *kring.Writer) func(context.Context, *kring.Record, kring.Callback) error
	for name, m := range map[string]method{
		"Producer": func(p *kring.Producer, _ *kring.Writer) func(context.Context, *kring.Record, kring.Callback) error {
			return p.ProduceRecord
		},
		"Topic": func(p *kring.Producer, _ *kring.Writer) func(context.Context, *kring.Record, kring.Callback) error {
			return p.Topic("t").ProduceRecord
		},
		"Writer": func(_ *kring.Producer, w *kring.Writer) func(context.Context, *kring.Record, kring.Callback) error {
			return w.ProduceRecord
		},
	} {
		for _, intercepted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/interceptor=%t", name, intercepted), func(t *testing.T) {
				b := caseBroker(t, broker.Config{Partitions: 2})
				var more []kring.Option
				prefix := ""
				if intercepted {
					more, prefix = append(more, kring.Interceptors(renamer{})), "changed "
				}
				p := caseProducer(t, b.Addrs(), more...)
				w := p.Topic("t").NewWriter()
				defer w.Close()
				produce := m(p, w)
				r := kring.Record{Topic: "t", Partition: kring.On(1), Key: []byte("k"), Headers: []kring.Header{{Key: "h"}}}
				var want []string
				for i := range 20 {
					r.Value, r.Tag = fmt.Appendf(r.Value[:0], "value %d", i), uint64(i)
					before := r
					if err := produce(patient(t), &r, nil); err != nil {
						t.Fatal(err)
					}
					if !reflect.DeepEqual(r, before) {
						t.Fatalf("%+v became %+v", before, r)
					}
					want = append(want, prefix+string(r.Value))
				}
				if err := p.Flush(patient(t)); err != nil {
					t.Fatal(err)
				}
				log, err := b.Log("t", 1)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for r := range log.Records() {
					got = append(got, string(r.Value))
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("stored %q, want %q", got, want)
				}
			})
		}
	}
}

// TestNilRecord: ProduceRecord of nil is an error and no panic, and nothing of it
// stays behind.
func TestNilRecord(t *testing.T) {
	p := caseProducer(t, caseBroker(t, broker.Config{}).Addrs(), kring.MaxBufferedRecords(1))
	w := p.Topic("t").NewWriter()
	defer w.Close()
	for name, produce := range map[string]func(context.Context, *kring.Record, kring.Callback) error{
		"Producer": p.ProduceRecord, "Topic": p.Topic("t").ProduceRecord, "Writer": w.ProduceRecord,
	} {
		if err := produce(patient(t), nil, nil); !errors.Is(err, kring.ErrInvalidRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantPlaces(t, p, 1)
}

// TestProducerOfNobody: what is deferred before New's error is looked at does not
// panic, and a Typed is not made of nothing.
func TestProducerOfNobody(t *testing.T) {
	none, err := kring.New()
	if err == nil {
		t.Fatal("New without brokers has no error")
	}
	for name, p := range map[string]*kring.Producer{"nil": none, "zero": {}} {
		_, drained := p.Drain(context.Background())
		for _, err := range []error{p.Close(context.Background()), p.Flush(context.Background()), drained} {
			checkText(t, err, kring.ErrClosed, "New did not make it")
		}
		func() {
			defer func() {
				if v := fmt.Sprint(recover()); !strings.Contains(v, `NewTyped: the Sender for topic "t" is nil`) {
					t.Errorf("%s: NewTyped panicked with %s", name, v)
				}
			}()
			kring.NewTyped(p, "t", kring.StringSerializer{}, kring.StringSerializer{})
		}()
	}
}
