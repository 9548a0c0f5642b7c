package kring_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
)

// forgetful is a broker that refuses one request, when told to, as one that has
// forgotten what it acknowledged.
func forgetful(t *testing.T, code kring.KafkaError) (b *wireBroker, forget *atomic.Bool) {
	forget = new(atomic.Bool)
	return newWireBroker(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) {
			if forget.CompareAndSwap(true, false) {
				c.fail(q, int16(code))
				return
			}
			c.accept(q)
		}
	}), forget
}

// TestStopOnSequenceLost: the batch that is refused fails, and so does all that
// comes after it, in whatever partition; nothing more is sent.
func TestStopOnSequenceLost(t *testing.T) {
	for _, code := range []kring.KafkaError{kring.OutOfOrderSequenceNumber, kring.UnknownProducerID, kring.InvalidProducerEpoch} {
		t.Run(code.Name(), func(t *testing.T) {
			b, forget := forgetful(t, code)
			heard := &told{}
			p, err := kring.New(quick([]string{b.addr()}, kring.Hooks(heard), kring.StopOnSequenceLost())...)
			if err != nil {
				t.Fatal(err)
			}
			send := func(partition int32) error {
				_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(partition)})
				return err
			}
			for _, partition := range []int32{0, 1, 0} {
				if err := send(partition); err != nil {
					t.Fatal(err)
				}
			}
			forget.Store(true)
			for _, partition := range []int32{0, 0, 1} {
				err := send(partition)
				checkText(t, err, kring.ErrSequenceLost, code.Name(), "t/0, up to offset 1", "not in the log")
				if !errors.Is(err, code) {
					t.Errorf("%v is no %v", err, code)
				}
			}
			if n := len(b.seen()); n != 4 {
				t.Errorf("the broker got %d batches, want 4: %v, %v", n, identities(b.seen(), 0), identities(b.seen(), 1))
			}
			checkText(t, p.Warmup(patient(t), "t"), kring.ErrSequenceLost, "up to offset 1")
			if s := p.Stats(); s.EpochBumps != 0 || s.SequencesLost != 1 {
				t.Errorf("%d epoch bumps (want 0), %d sequences lost (want 1)", s.EpochBumps, s.SequencesLost)
			}
			closeEmpty(t, p)
			if lost := eventsOf[kring.SequenceLost](heard); len(lost) != 1 || lost[0].Restarts || lost[0].LastOffset != 1 {
				t.Errorf("the hook heard %+v", lost)
			}
		})
	}
}

// shrink takes n offsets from the end of a partition's log.
func (b *wireBroker) shrink(partition int32, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.offsets[partition] -= n
}

// TestLogWentBack: a batch that is put where one stood that was acknowledged shows
// that the log has lost records, with any level of acknowledgement; the producer
// goes on, or stops after that batch, which is in the log.
func TestLogWentBack(t *testing.T) {
	stop := kring.StopOnSequenceLost()
	for name, options := range map[string][]kring.Option{
		"acks=1": {kring.RequireAcks(kring.AcksLeader)}, "idempotent": nil, "stop": {stop},
	} {
		t.Run(name, func(t *testing.T) {
			b := newWireBroker(t, nil)
			heard := &told{}
			p, err := kring.New(quick([]string{b.addr()}, append(options, kring.Hooks(heard))...)...)
			if err != nil {
				t.Fatal(err)
			}
			send := func(partition int32) (int64, error) {
				d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(partition)})
				return d.Offset, err
			}
			for _, partition := range []int32{0, 0, 0, 1, 1} {
				if _, err := send(partition); err != nil {
					t.Fatal(err)
				}
			}
			b.shrink(0, 1)
			if offset, err := send(0); err != nil || offset != 2 {
				t.Errorf("the batch that shows it: offset %d, %v", offset, err)
			}
			for _, partition := range []int32{0, 1} {
				if _, err := send(partition); errors.Is(err, kring.ErrSequenceLost) != (name == "stop") || (err == nil) == (name == "stop") {
					t.Errorf("after it, partition %d: %v", partition, err)
				} else if err != nil {
					checkText(t, err, kring.ErrSequenceLost, "t/0 at offset 2", "up to 2", "not in the log")
				}
			}
			closeEmpty(t, p)
			lost := eventsOf[kring.SequenceLost](heard)
			if len(lost) != 1 || p.Stats().SequencesLost != 1 {
				t.Fatalf("the hook heard %+v, and %d are counted; want one each", lost, p.Stats().SequencesLost)
			}
			want := kring.SequenceLost{At: lost[0].At, Topic: "t", Broker: lost[0].Broker, Offset: 2, LastOffset: 2, Restarts: name != "stop"}
			if lost[0] != want {
				t.Errorf("%+v, want %+v", lost[0], want)
			}
		})
	}
}

// TestUncounted: a broker that answers offset 0 every time has lost nothing, and
// one that answers none has neither.
func TestUncounted(t *testing.T) {
	for _, offset := range []int64{0, -1} {
		t.Run(fmt.Sprint(offset), func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				b.produce = func(c *wireConn, q *wireRequest) {
					resp := b.success(q)
					resp.Topics[0].Partitions[0].BaseOffset = offset
					c.answer(q.correlation, resp)
				}
			})
			p := caseProducer(t, []string{b.addr()})
			for range 3 {
				if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}); err != nil {
					t.Fatal(err)
				}
			}
			if n := p.Stats().SequencesLost; n != 0 {
				t.Errorf("offset %d each time: %d losses", offset, n)
			}
		})
	}
}

// TestStopWithMoreInFlight: of several in flight in the partition that the broker
// all refuses none is sent again, what waits goes nowhere, and what is in flight
// elsewhere is still acknowledged.
func TestStopWithMoreInFlight(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		type held struct {
			c *wireConn
			q *wireRequest
		}
		var all []held
		released := false
		b.produce = func(c *wireConn, q *wireRequest) {
			if q.batches[0].sequence == 0 && q.batches[0].partition == 0 {
				c.accept(q)
				return
			}
			all = append(all, held{c, q})
			if released = released || len(all) == 3; !released {
				return
			}
			for _, x := range all { // In the order of the requests.
				if x.q.batches[0].partition == 0 {
					x.c.fail(x.q, int16(kring.OutOfOrderSequenceNumber))
				} else {
					x.c.accept(x.q)
				}
			}
			all = nil
		}
	})
	p := caseProducer(t, []string{b.addr()}, oneByOne(), kring.StopOnSequenceLost())
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	got.wait(t, 1)
	produceTags(t, p, 1, 1, 1, got)
	until(t, "a request for partition 1", func() bool { return b.count(0) == 2 })
	produceTags(t, p, 0, 2, 6, got) // two in flight, and what waits for them
	for _, d := range got.wait(t, 8) {
		switch d.Tag {
		case 0, 1:
			if d.Err != nil {
				t.Errorf("record %d: %v", d.Tag, d.Err)
			}
		default:
			checkText(t, d.Err, kring.ErrSequenceLost, "not in the log")
		}
	}
	if s := p.Stats(); s.EpochBumps != 0 || s.SequencesLost != 1 {
		t.Errorf("%d epoch bumps (want 0), %d sequences lost (want 1)", s.EpochBumps, s.SequencesLost)
	}
}

// TestStopOnSequenceLostNeeds: where no broker can tell, stopping can not be asked
// for.
func TestStopOnSequenceLostNeeds(t *testing.T) {
	stop, err := kring.FromProperties(map[string]string{"kring.sequence.lost.stop": "true"})
	if err != nil {
		t.Fatal(err)
	}
	for want, with := range map[string][]kring.Option{
		"needs idempotence":            {stop, kring.DisableIdempotence()},
		"needs acks=all":               {kring.StopOnSequenceLost(), kring.RequireAcks(kring.AcksLeader)},
		"and retries":                  {kring.StopOnSequenceLost(), kring.Retries(0)},
		"goes without TransactionalID": {stop, kring.TransactionalID("x")},
	} {
		_, err := kring.New(append([]kring.Option{kring.Brokers("127.0.0.1:1")}, with...)...)
		checkText(t, err, kring.ErrConfig, want, "StopOnSequenceLost() (kring.sequence.lost.stop=true)")
		if n := strings.Count(fmt.Sprint(err), "\n"); n != 0 {
			t.Errorf("%d lines for one mistake: %v", n+1, err)
		}
	}
}

// TestWaitingHearsOfTheStop: a record that lingers elsewhere fails when the
// producer stops, and not an hour later.
func TestWaitingHearsOfTheStop(t *testing.T) {
	b, forget := forgetful(t, kring.OutOfOrderSequenceNumber)
	p := caseProducer(t, []string{b.addr()}, kring.BatchSize(1000), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour), kring.StopOnSequenceLost())
	got := newOutcomes()
	fill := func(partition int32, tag uint64) {
		t.Helper()
		r := kring.Record{Topic: "t", Partition: kring.On(partition), Value: make([]byte, 1000), Tag: tag}
		if err := p.Produce(t.Context(), r, got.take); err != nil {
			t.Fatal(err)
		}
	}
	fill(0, 0)
	got.wait(t, 1)
	produceTags(t, p, 1, 1, 1, got) // lingers
	forget.Store(true)
	fill(0, 2)
	got.wait(t, 3)
	fill(1, 3)
	for _, d := range got.wait(t, 4) {
		if d.Tag > 0 {
			checkText(t, d.Err, kring.ErrSequenceLost, "not in the log")
		}
	}
	if n := b.count(0); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}

// TestStopOpensTheGate: after the stop nobody has to Flush to hear of it.
func TestStopOpensTheGate(t *testing.T) {
	b, forget := forgetful(t, kring.OutOfOrderSequenceNumber)
	p := caseProducer(t, []string{b.addr()}, oneByOne(), kring.ManualFlush(), kring.StopOnSequenceLost())
	got := newOutcomes()
	for tag := range 2 {
		produceTags(t, p, 0, tag, 1, got)
		if err := p.Flush(patient(t)); err != nil {
			t.Fatal(err)
		}
		forget.Store(true)
	}
	produceTags(t, p, 1, 2, 1, got)
	for _, d := range got.wait(t, 3) {
		if d.Tag > 0 {
			checkText(t, d.Err, kring.ErrSequenceLost, "not in the log")
		}
	}
}
