package kring_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// produceTags produces records 0 to n-1 to a partition, one batch each.
func produceTags(t *testing.T, p *kring.Producer, partition int32, from, n int, got *outcomes) {
	t.Helper()
	for i := from; i < from+n; i++ {
		r := kring.Record{Topic: "t", Partition: kring.On(partition), Value: fmt.Append(nil, i), Tag: uint64(i)}
		if err := p.Produce(patient(t), r, got.take); err != nil {
			t.Fatal(err)
		}
	}
}

// wantLog checks that the log has the values 0 to n-1 in order.
func wantLog(t *testing.T, b *broker.Broker, partition int32, n int) {
	t.Helper()
	log := logValues(t, b, "t", partition)
	if len(log) != n {
		t.Errorf("%d records in the log, want %d: %q", len(log), n, log)
	}
	for i, v := range log {
		if v != fmt.Sprint(i) {
			t.Fatalf("record %d is %q", i, v)
		}
	}
}

// oneByOne makes every record a batch of its own.
func oneByOne() kring.Option { return kring.BatchSize(0) }

// TestRetriableCodes is E4 to E7 and E14: codes that pass, answered for batches
// that were appended and for some that were not. Nothing is lost, and the
// idempotent producer stores nothing twice.
func TestRetriableCodes(t *testing.T) {
	for _, code := range []kring.KafkaError{
		kring.NotLeaderOrFollower, kring.LeaderNotAvailable, kring.UnknownTopicOrPartition, kring.NotEnoughReplicas,
		kring.NotEnoughReplicasAfterAppend, kring.RequestTimedOut, kring.KafkaStorageError, kring.CorruptMessage,
		kring.FencedLeaderEpoch, kring.UnknownLeaderEpoch, kring.ReplicaNotAvailable,
	} {
		for _, appended := range []bool{false, true} {
			if appended && code != kring.NotEnoughReplicasAfterAppend && code != kring.RequestTimedOut &&
				code != kring.NotLeaderOrFollower && code != kring.KafkaStorageError && code != kring.UnknownTopicOrPartition {
				continue
			}
			t.Run(fmt.Sprintf("%s/appended=%t", code.Name(), appended), func(t *testing.T) {
				b := caseBroker(t, broker.Config{})
				var n atomic.Int64
				b.SetHook(func(*broker.ProduceInfo) broker.Action {
					if k := n.Add(1); k%3 == 0 && k < 60 {
						act := refuse(code)
						act.AppendAnyway = appended
						return act
					}
					return broker.Action{}
				})
				p := caseProducer(t, b.Addrs(), oneByOne())
				got := newOutcomes()
				produceTags(t, p, 0, 0, 40, got)
				for i, d := range got.wait(t, 40) {
					if d.Err != nil || d.Tag != uint64(i) {
						t.Errorf("delivery %d: %+v", i, d)
					}
				}
				wantLog(t, b, 0, 40)
				if p.Stats().EpochBumps != 0 {
					t.Errorf("%d epoch bumps for errors that pass", p.Stats().EpochBumps)
				}
			})
		}
	}
}

// TestFatalCodes is E17 and E22, and a part of E8: what will not pass fails at
// once, with a typed error that says what is known and what to do, for that
// batch only.
func TestFatalCodes(t *testing.T) {
	for _, c := range []struct {
		code      kring.KafkaError
		certainty kring.Certainty
	}{
		{kring.InvalidTimestamp, kring.NotPersisted},
		{kring.InvalidRequiredAcks, kring.NotPersisted},
		{kring.UnsupportedForMessageFormat, kring.NotPersisted},
		{kring.UnsupportedCompressionType, kring.NotPersisted},
		{kring.UnsupportedVersion, kring.NotPersisted},
		{kring.TopicAuthorizationFailed, kring.NotPersisted},
		{kring.ClusterAuthorizationFailed, kring.NotPersisted},
		{kring.RecordListTooLarge, kring.NotPersisted},
		{kring.MessageTooLarge, kring.NotPersisted},
		{kring.InvalidRecord, kring.NotPersisted},
		{kring.PolicyViolation, kring.NotPersisted},
		{kring.UnknownServerError, kring.PossiblyPersisted},
		{kring.KafkaError(999), kring.PossiblyPersisted},
	} {
		t.Run(c.code.Name(), func(t *testing.T) {
			b := caseBroker(t, broker.Config{})
			b.SetHook(func(info *broker.ProduceInfo) broker.Action {
				if strings.Contains(string(info.Partitions[0].Records), "bad") {
					return refuse(c.code)
				}
				return broker.Action{}
			})
			p := caseProducer(t, b.Addrs(), oneByOne())
			got := newOutcomes()
			for i, v := range []string{"a", "bad", "b"} {
				if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte(v), Tag: uint64(i)}, got.take); err != nil {
					t.Fatal(err)
				}
			}
			list := got.wait(t, 3)
			for _, d := range list {
				if d.Tag != 1 && d.Err != nil {
					t.Errorf("an innocent record failed: %+v", d)
				}
				if d.Tag != 1 {
					continue
				}
				pe := produceError(t, d)
				if pe.Certainty != c.certainty || pe.Code != int16(c.code) || pe.Attempts != 1 || pe.Broker != 1 || d.Offset != -1 {
					t.Errorf("%+v %+v", d, pe)
				}
				checkText(t, d.Err, c.code, `topic "t" partition 0`, "broker 1", c.code.Name(), "producing it again")
			}
			if got := logValues(t, b, "t", 0); strings.Join(got, "") != "ab" {
				t.Errorf("log: %q", got)
			}
		})
	}
}

// TestLeaderHints is E4: hints that are stale, unknown, about the broker
// itself, or true.
func TestLeaderHints(t *testing.T) {
	for name, hint := range map[string]*broker.Leader{
		"stale":   {Node: 2, Epoch: 0},
		"unknown": {Node: 77, Epoch: 100},
		"self":    {Node: 1, Epoch: 100},
		"none":    {Node: -1, Epoch: -1},
	} {
		t.Run(name, func(t *testing.T) {
			b := caseBroker(t, broker.Config{Brokers: 2})
			var n, followed atomic.Int64
			b.SetHook(func(info *broker.ProduceInfo) broker.Action {
				if info.Node != 1 {
					followed.Add(1)
				} else if n.Add(1) <= 3 {
					act := refuse(kring.NotLeaderOrFollower)
					act.Errors[0].Hint = hint
					return act
				}
				return broker.Action{}
			})
			p := caseProducer(t, b.Addrs())
			for i := range 5 {
				if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: fmt.Append(nil, i)}); err != nil {
					t.Fatal(err)
				}
			}
			wantLog(t, b, 0, 5)
			if r := b.Stats().Produce; r > 60 {
				t.Errorf("%d requests for 5 records", r)
			}
			if f := followed.Load(); f != 0 {
				t.Errorf("%d requests went where the hint leads", f)
			}
		})
	}
}

// TestMoveWithRequestsInFlight is A24: the leader moves while requests are in
// flight. The new leader gets nothing of the partition before the old one's
// answers are here, also without idempotence, where nothing else keeps the order.
func TestMoveWithRequestsInFlight(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%t", plain), func(t *testing.T) { moveWithRequestsInFlight(t, plain) })
	}
}

func moveWithRequestsInFlight(t *testing.T, plain bool) {
	b := caseBroker(t, broker.Config{Brokers: 2})
	hold := make(chan struct{})
	var early, held atomic.Int64
	var holding atomic.Bool
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		switch {
		case info.Node == 1 && holding.Load():
			held.Add(1)
			return broker.Action{Stall: hold}
		case info.Node == 2:
			select {
			case <-hold:
			default:
				early.Add(1)
			}
		}
		return broker.Action{}
	})
	opts := []kring.Option{oneByOne(), kring.MetadataMaxAge(10 * time.Millisecond)}
	if plain {
		opts = append(opts, kring.DisableIdempotence())
	}
	p := caseProducer(t, b.Addrs(), opts...)
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got) // proves the leader, so that requests are pipelined
	got.wait(t, 1)
	holding.Store(true)
	produceTags(t, p, 0, 1, 2, got) // fewer than may be in flight: nothing but the move keeps the rest back
	until(t, "a request is in flight", func() bool { return held.Load() > 0 })
	if err := b.SetLeader("t", 0, 2); err != nil {
		t.Fatal(err)
	}
	before := p.Stats().Metadata
	until(t, "the producer knows the new leader", func() bool { return p.Stats().Metadata > before+2 })
	produceTags(t, p, 0, 3, 18, got)
	pause := time.NewTimer(50 * time.Millisecond) // for what must not happen
	<-pause.C
	if early.Load() != 0 {
		t.Error("the new leader got a request while the old one had some")
	}
	close(hold)
	for i, d := range got.wait(t, 21) {
		if d.Err != nil || d.Tag != uint64(i) && !plain {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	if !plain { // held requests are refused by the old leader one after the other
		wantLog(t, b, 0, 21)
	}
}

// TestFollowersOfAFailedBatch is E25: the first of five requests in flight
// fails, so the others get OUT_OF_ORDER_SEQUENCE. All are sent again, in order
// and under the same epoch.
func TestFollowersOfAFailedBatch(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	var n atomic.Int64
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		if n.Add(1) == 2 { // the first one proved the leader
			act := refuse(kring.NotEnoughReplicas)
			act.Stall = hold
			return act
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs(), oneByOne())
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	got.wait(t, 1)
	produceTags(t, p, 0, 1, 20, got)
	until(t, "the pipeline is full", func() bool { return p.Stats().Requests >= 5 })
	close(hold)
	for i, d := range got.wait(t, 21) {
		if d.Err != nil || d.Tag != uint64(i) {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	wantLog(t, b, 0, 21)
	if s := b.Stats(); s.SequenceErrors == 0 || p.Stats().EpochBumps != 0 || p.Stats().SequencesLost != 0 {
		t.Errorf("%d sequence errors (want some), %d epoch bumps (want none)", s.SequenceErrors, p.Stats().EpochBumps)
	}
}

// TestFatalInTheMiddle is E29: a batch fails for good while an earlier one is
// retried. The earlier one keeps its sequence, the later ones are stored once,
// in order.
func TestFatalInTheMiddle(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	var seqMu atomic.Pointer[[]int32]
	seqMu.Store(new([]int32))
	var n atomic.Int64
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		k := n.Add(1)
		records := string(info.Partitions[0].Records)
		if strings.Contains(records, "first") {
			seqs := append(append([]int32(nil), *seqMu.Load()...), info.Partitions[0].BaseSequence)
			seqMu.Store(&seqs)
		}
		switch {
		case k == 2:
			act := refuse(kring.NotEnoughReplicas)
			act.Stall = hold
			return act
		case strings.Contains(records, "poison"):
			return refuse(kring.InvalidTimestamp)
		}
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs(), oneByOne())
	got := newOutcomes()
	send := func(v string) {
		if err := p.Produce(patient(t), kring.Record{Topic: "t", Value: []byte(v)}, got.take); err != nil {
			t.Fatal(err)
		}
	}
	send("0")
	got.wait(t, 1)
	for _, v := range []string{"first", "poison", "2", "3"} {
		send(v)
	}
	until(t, "the pipeline is full", func() bool { return p.Stats().Requests >= 4 })
	close(hold)
	failed := 0
	for _, d := range got.wait(t, 5) {
		if d.Err != nil {
			failed++
			checkText(t, d.Err, kring.InvalidTimestamp, "not in the log")
		}
	}
	if log := strings.Join(logValues(t, b, "t", 0), " "); log != "0 first 2 3" || failed != 1 {
		t.Errorf("log %q, %d failed", log, failed)
	}
	seqs := *seqMu.Load()
	if len(seqs) < 2 || seqs[0] != seqs[1] {
		t.Errorf("the retried batch was sent with the sequences %v, want the same", seqs)
	}
}

// TestThrottle is E15: one broker asks for silence; it gets none for that long,
// and the other broker flows on.
func TestThrottle(t *testing.T) {
	b := caseBroker(t, broker.Config{Brokers: 2, Partitions: 2})
	var last, first atomic.Int64 // ns: the throttled answer, the next request
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if info.Node != 1 {
			return broker.Action{}
		}
		if last.CompareAndSwap(0, time.Now().UnixNano()) {
			return broker.Action{ThrottleMs: 400}
		}
		first.CompareAndSwap(0, time.Now().UnixNano())
		return broker.Action{}
	})
	p := caseProducer(t, b.Addrs())
	send := func(partition int32) error {
		_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(partition)})
		return err
	}
	if err := send(0); err != nil {
		t.Fatal(err)
	}
	muted := make(chan error, 1)
	go func() { muted <- send(0) }()
	others := 0
	for ; others < 100 && first.Load() == 0; others++ {
		if err := send(1); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-muted; err != nil {
		t.Fatal(err)
	}
	if silence := time.Duration(first.Load() - last.Load()); silence < 395*time.Millisecond {
		t.Errorf("the throttled broker was left alone for %v, want 400 ms", silence)
	}
	if others == 0 || p.Stats().Throttles != 1 {
		t.Errorf("%d records to the other broker meanwhile; throttles %d", others, p.Stats().Throttles)
	}
}

// TestRecordErrors is E16: the broker blames single records (KIP-467).
func TestRecordErrors(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		if info.Partitions[0].Count < 5 {
			return broker.Action{}
		}
		act := refuse(kring.InvalidRecord)
		act.Errors[0].Message = "two are bad"
		act.Errors[0].Records = []broker.RecordError{{Index: 1, Message: "no key"}, {Index: 3}, {Index: 99, Message: "who"}, {Index: -1}}
		return act
	})
	p := caseProducer(t, b.Addrs(), kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	got := newOutcomes()
	produceTags(t, p, 0, 0, 5, got)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	for i, d := range got.wait(t, 5) {
		culprit := i == 1 || i == 3
		if culprit != errors.Is(d.Err, kring.ErrInvalidRecord) || !culprit != errors.Is(d.Err, kring.ErrBatchRejected) {
			t.Errorf("record %d: %v", i, d.Err)
		}
		if pe := produceError(t, d); pe.Certainty != kring.NotPersisted {
			t.Errorf("record %d: %+v", i, pe)
		}
		if i == 1 && !strings.Contains(d.Err.Error(), "no key") {
			t.Errorf("record 1: %v", d.Err)
		}
	}
}

// TestDuplicateSequence is E27: success, without an offset.
func TestDuplicateSequence(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	b.SetHook(func(*broker.ProduceInfo) broker.Action {
		act := refuse(kring.DuplicateSequenceNumber)
		act.AppendAnyway = true
		return act
	})
	p := caseProducer(t, b.Addrs())
	d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
	if err != nil || d.Offset != -1 {
		t.Errorf("%+v, %v", d, err)
	}
}
