//go:build kafka

package kafka_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/kring-go/kring"

	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/ledger"
)

// lossBook keeps what a producer heard of lost sequences.
type lossBook struct {
	mu   sync.Mutex
	list []kring.SequenceLost
}

func (b *lossBook) OnSequenceLost(e kring.SequenceLost) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// What is the test's to know.
	b.list = append(b.list, kring.SequenceLost{Code: e.Code, Offset: e.Offset, LastOffset: e.LastOffset, Restarts: e.Restarts})
}

// TestForgottenRecords: a broker comes back with less than it had acknowledged, as
// after the loss of a disk's last writes. The producer that goes on says so, and
// how far it had been acknowledged, and so does one with acks=1, by the offset of
// its next batch; with StopOnSequenceLost nothing more gets into the log.
func TestForgottenRecords(t *testing.T) {
	c := need(t, 1)
	if !c.ours {
		t.Skip("the nodes of KRING_KAFKA are not the rig's")
	}
	const before = 5
	var halves []half
	for _, options := range [][]kring.Option{nil, {kring.StopOnSequenceLost()}, {kring.RequireAcks(kring.AcksLeader)}} {
		h := half{topic: c.topic(t, 1), heard: &lossBook{}}
		p, err := kring.New(append(options, kring.Brokers(c.bootstrap...), kring.Hooks(h.heard))...)
		if err != nil {
			t.Fatal(err)
		}
		h.producer = p
		halves = append(halves, h)
		for i := range before {
			if err := h.send(t, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := c.rig.Kill(1); err != nil {
		t.Fatal(err)
	}
	for _, h := range halves {
		if err := c.rig.Truncate(1, h.topic, 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(c.rig.Start(1), c.rig.WaitReady(t.Context())); err != nil {
		t.Fatal(err)
	}
	for i, h := range halves {
		var failed []error
		for n := before; n < before+2; n++ {
			failed = append(failed, h.send(t, n))
		}
		stats := h.producer.Stats()
		if err := h.producer.Close(t.Context()); err != nil {
			t.Error(err)
		}
		want := []string{"0", "1", "5", "6"}
		if i == 1 {
			want = want[:2]
		}
		if got := values(t, c, h.topic); !slices.Equal(got, want) {
			t.Errorf("the log of %s has %v, want %v", h.topic, got, want)
		}
		for _, err := range failed {
			if stops := i == 1; errors.Is(err, kring.ErrSequenceLost) != stops || (err != nil) != stops {
				t.Errorf("after the loss: %v", err)
			}
		}
		refused := kring.SequenceLost{Code: kring.OutOfOrderSequenceNumber, Offset: -1, LastOffset: before - 1, Restarts: i == 0}
		proof := kring.SequenceLost{Offset: 2, LastOffset: before - 1, Restarts: true}
		heard := [][]kring.SequenceLost{{refused, proof}, {refused}, {proof}}[i]
		if !slices.Equal(h.heard.list, heard) || stats.SequencesLost != uint64(len(heard)) {
			t.Errorf("the hook heard %+v, and %d are counted; want %+v", h.heard.list, stats.SequencesLost, heard)
		}
	}
}

// half is one of two producers, and what it heard.
type half struct {
	producer *kring.Producer
	topic    string
	heard    *lossBook
}

// send produces one record and waits for it, so that each is a batch.
func (h *half) send(t *testing.T, n int) error {
	_, err := h.producer.ProduceSync(t.Context(), kring.Record{Topic: h.topic, Value: fmt.Append(nil, n)})
	return err
}

// values are those of a topic, as franz-go reads them.
func values(t *testing.T, c *cluster, topic string) []string {
	t.Helper()
	var out []string
	if _, err := readback.Franz(t.Context(), c.bootstrap, topic, func(e *ledger.Entry) { out = append(out, string(e.Prefix[:e.ValueSize])) }); err != nil {
		t.Fatal(err)
	}
	return out
}
