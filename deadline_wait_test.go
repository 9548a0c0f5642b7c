package kring_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestDeadlineWhileProduceWaits: for memory, for its topic's share of it, and
// for metadata, no longer than the deadline.
func TestDeadlineWhileProduceWaits(t *testing.T) {
	noAnswer, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer noAnswer.Close()
	b := caseBroker(t, broker.Config{})
	stall := make(chan struct{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action { return broker.Action{Stall: stall} })
	for _, tc := range []struct {
		name  string
		addr  string
		fill  bool
		more  []kring.Option
		texts []string
	}{
		{"memory", b.Addrs()[0], true, []kring.Option{kring.BufferMemory(4 << 10)}, []string{"BufferMemory", "not accepted"}},
		{"share", b.Addrs()[0], true, []kring.Option{kring.TopicSettings("t", kring.TopicMemory(2<<10))}, []string{"TopicMemory", "not accepted"}},
		{"metadata", noAnswer.Addr().String(), false, nil, []string{`"t" is not known`, "not accepted"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := openProducer(t, []string{tc.addr}, append(tc.more, kring.BatchSize(1<<10), kring.MaxBlock(time.Hour))...)
			r := kring.Record{Topic: "t", Value: make([]byte, 900)}
			for tc.fill {
				err := p.TryProduce(r, nil)
				if errors.Is(err, kring.ErrBufferFull) {
					break
				}
				if err != nil && !errors.Is(err, kring.ErrMetadataPending) {
					t.Fatal(err)
				}
			}
			started := time.Now()
			r.Deadline = started.Add(300 * time.Millisecond)
			within(t, "Produce", func() {
				err := p.Produce(patient(t), r, func(d kring.Delivery) { t.Errorf("callback: %+v", d) })
				checkText(t, err, kring.ErrRecordDeadline, tc.texts...)
				if errors.Is(err, kring.ErrMaxBlock) {
					t.Errorf("MaxBlock is an hour: %v", err)
				}
			})
			if took := time.Since(started); took < 300*time.Millisecond {
				t.Errorf("it gave up after %v", took)
			}
			if err := p.TryProduce(kring.Record{Topic: "t", Deadline: started}, nil); !errors.Is(err, kring.ErrRecordDeadline) {
				t.Errorf("TryProduce: %v", err)
			}
		})
	}
	close(stall)
}

// TestDeadlineAndDrain: what is late while Drain waits is handed back, too.
func TestDeadlineAndDrain(t *testing.T) {
	b := leaderless(t)
	p := openProducer(t, b.Addrs())
	awaitTopic(t, p)
	got := newOutcomes()
	for i := range 4 {
		r := kring.Record{Topic: "t", Key: []byte("k"), Value: []byte{byte(i)}, Tag: uint64(i), Deadline: time.Now().Add(time.Second)}
		if i > 1 {
			r.Headers = []kring.Header{{Key: "h"}}
		}
		if err := p.Produce(patient(t), r, got.take); err != nil {
			t.Fatal(err)
		}
	}
	list, err := p.Drain(patient(t)) // ends with the last deadline, not with ctx
	if err != nil || len(list) != 4 {
		t.Fatalf("%d records handed back: %v", len(list), err)
	}
	for i, u := range list {
		if u.Value[0] != byte(i) || u.Tag != uint64(i) || len(u.Headers) != i/2 || !u.Deadline.IsZero() || u.Certainty != kring.NotPersisted ||
			!errors.Is(u.Err, kring.ErrRecordDeadline) || !errors.Is(u.Err, kring.ErrDrained) {
			t.Errorf("%d: %+v", i, u)
		}
	}
	for _, d := range got.wait(t, 4) {
		wantLate(t, d)
	}
}

// TestDeadlineInARun: of records that share a reservation, in a batch that is
// open, each has its own.
func TestDeadlineInARun(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	p := caseProducer(t, b.Addrs(), kring.Linger(time.Minute))
	if err := p.Warmup(patient(t), "t"); err != nil {
		t.Fatal(err)
	}
	got := newOutcomes()
	run := make([]kring.Record, 5)
	if n, err := p.Topic("t").ProduceMany(patient(t), run, got.take); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	run[3].Deadline = time.Now()
	if n, err := p.Topic("t").ProduceMany(patient(t), run, got.take); n != 3 || !errors.Is(err, kring.ErrRecordDeadline) {
		t.Errorf("%d accepted before the one that is late: %v", n, err)
	}
	run[3].Deadline = time.Now().Add(20 * time.Second) // before the end of the linger
	if n, err := p.Topic("t").ProduceMany(patient(t), run, got.take); n != 5 || err != nil {
		t.Error(n, err)
	}
	for _, d := range got.wait(t, 13) {
		if d.Err != nil {
			t.Errorf("%+v", d)
		}
	}
}
