package kring_test

import (
	"context"
	"fmt"
	"reflect"
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
