package kfake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestTransactions: what was committed is seen, what was aborted is not, over
// several transactions; empty ones cost nothing.
func TestTransactions(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, implicit bool) {
		var adds, ends, named atomic.Int32
		c.ControlKey(0, func(r kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			req := r.(*kmsg.ProduceRequest)
			if id := req.TransactionID; id != nil && *id != "txn" || (req.Version >= 12) != implicit && id != nil {
				t.Errorf("Produce v%d with transactional id %v, implicit adding %v", req.Version, id, implicit)
			}
			if req.TransactionID != nil {
				named.Add(1)
			}
			return nil, nil, false
		})
		c.ControlKey(24, func(kmsg.Request) (kmsg.Response, error, bool) { c.KeepControl(); adds.Add(1); return nil, nil, false })
		c.ControlKey(26, func(kmsg.Request) (kmsg.Response, error, bool) { c.KeepControl(); ends.Add(1); return nil, nil, false })
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		for _, name := range []string{"a", "b", "empty", "c", "d"} {
			must(t, "Begin", p.BeginTransaction())
			if name != "empty" {
				produceSome(t, p, name, 50, &got)
			}
			if name == "b" || name == "c" {
				must(t, "Abort", p.AbortTransaction(ctx))
			} else {
				must(t, "Commit", p.CommitTransaction(ctx))
			}
		}
		if n := len(got.all()); n != 200 {
			t.Errorf("%d deliveries, want 200", n)
		}
		if implicit != (adds.Load() == 0) {
			t.Errorf("%d AddPartitionsToTxn, implicit adding %v", adds.Load(), implicit)
		}
		if named.Load() == 0 {
			t.Error("no Produce request has the transactional id")
		}
		if n := ends.Load(); n > 4 || n < 2 {
			t.Errorf("%d EndTxn, want at most one for each transaction with records", n)
		}
		wantCommitted(t, c, "a", "d")
	})
}

// TestTransactionStates: calls out of order are refused and break nothing.
func TestTransactionStates(t *testing.T) {
	c := start(t)
	p := transactional(t, c)
	ctx := within(t)
	produce := func() error { return p.Produce(ctx, kring.Record{Topic: "t", Value: []byte("x")}, nil) }
	begin := p.BeginTransaction
	commit := func() error { return p.CommitTransaction(ctx) }
	abort := func() error { return p.AbortTransaction(ctx) }
	initialise := func() error { return p.InitTransactions(ctx) }
	offsets := func() error {
		return p.SendOffsets(ctx, map[kring.TopicPartition]kring.Offset{{Topic: "t"}: {}}, kring.GroupMetadata{GroupID: "g"})
	}
	steps := []struct {
		name string
		call func() error
		ok   bool
	}{
		{"Produce first", produce, false},
		{"Begin first", begin, false},
		{"Commit first", commit, false},
		{"Abort first", abort, false},
		{"SendOffsets first", offsets, false},
		{"Init", initialise, true},
		{"Init again", initialise, false},
		{"Produce outside", produce, false},
		{"Commit outside", commit, false},
		{"Abort outside", abort, false},
		{"SendOffsets outside", offsets, false},
		{"Begin", begin, true},
		{"Begin inside", begin, false},
		{"Init inside", initialise, false},
		{"Produce", produce, true},
		{"Commit", commit, true},
		{"Produce after", produce, false},
		{"Begin again", begin, true},
		{"Abort", abort, true},
		{"Commit after", commit, false},
	}
	for _, s := range steps {
		err := s.call()
		if s.ok && err != nil || !s.ok && !errors.Is(err, kring.ErrTransactionState) {
			t.Errorf("%s: %v, want success %v", s.name, err, s.ok)
		}
	}
	if got := committed(t, c); !slices.Equal(got, []string{"x"}) {
		t.Errorf("committed %q, want x", got)
	}
}

// TestNotTransactional: without an id every call says what is missing.
func TestNotTransactional(t *testing.T) {
	p := open(t, start(t))
	if err := p.BeginTransaction(); !errors.Is(err, kring.ErrTransactionState) {
		t.Errorf("BeginTransaction: %v", err)
	}
}

// TestFenced: the second producer with the same id stops the first, whose
// records are never seen.
func TestFenced(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, implicit bool) {
		want := kring.ErrFenced
		if implicit { // this Kafka answers INVALID_TXN_STATE
			want = kring.ErrTransactionFatal
		}
		ctx := within(t)
		old, young := transactional(t, c), transactional(t, c)
		var got results
		must(t, "Init", old.InitTransactions(ctx))
		must(t, "Begin", old.BeginTransaction())
		produceSome(t, old, "old", 50, &got)
		must(t, "Flush", old.Flush(ctx))
		must(t, "Init", young.InitTransactions(ctx))
		err := old.CommitTransaction(ctx)
		if !errors.Is(err, want) || !errors.Is(err, kring.ErrTransactionFatal) {
			t.Errorf("Commit of the fenced producer: %v", err)
		}
		for name, err := range map[string]error{
			"Begin": old.BeginTransaction(), "Abort": old.AbortTransaction(ctx), "Init": old.InitTransactions(ctx),
			"Produce": old.Produce(ctx, kring.Record{Topic: "t"}, nil),
		} {
			if !errors.Is(err, want) {
				t.Errorf("%s of the fenced producer: %v", name, err)
			}
		}
		must(t, "Begin", young.BeginTransaction())
		produceSome(t, young, "young", 50, &got)
		must(t, "Commit", young.CommitTransaction(ctx))
		wantCommitted(t, c, "young")
	})
}

// TestFailedRecord: a record that fails makes the commit fail, and after the
// abort everything works again.
func TestFailedRecord(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		for _, code := range []*kerr.Error{kerr.InvalidRecord, kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.TransactionAbortable, kerr.InvalidTxnState} {
			t.Run(code.Message, func(t *testing.T) {
				p := transactional(t, c, kring.TransactionalID("txn-"+code.Message))
				ctx := within(t)
				must(t, "Init", p.InitTransactions(ctx))
				var got results
				must(t, "Begin", p.BeginTransaction())
				produceSome(t, p, "lost", 20, &got)
				must(t, "Flush", p.Flush(ctx))
				failOnce(c, code.Code)
				// Into a partition that has records already, and into others.
				accepted := 20
				for range 20 {
					if p.Produce(ctx, kring.Record{Topic: "t", Value: []byte("lost")}, got.take) == nil {
						accepted++
					}
				}
				err := p.CommitTransaction(ctx)
				if !errors.Is(err, kring.ErrTransactionAbortable) || !errors.Is(err, kring.KafkaError(code.Code)) {
					t.Errorf("Commit: %v", err)
				}
				if err := p.Produce(ctx, kring.Record{Topic: "t"}, nil); !errors.Is(err, kring.ErrTransactionAbortable) {
					t.Errorf("Produce: %v", err)
				}
				must(t, "Abort", p.AbortTransaction(ctx))
				if n := len(got.all()); n != accepted {
					t.Errorf("%d deliveries, want %d", n, accepted)
				}
				must(t, "Begin", p.BeginTransaction())
				produceSome(t, p, code.Message, 50, &got)
				must(t, "Commit", p.CommitTransaction(ctx))
			})
		}
		wantCommitted(t, c, kerr.InvalidRecord.Message, kerr.InvalidProducerEpoch.Message, kerr.OutOfOrderSequenceNumber.Message, kerr.TransactionAbortable.Message, kerr.InvalidTxnState.Message)
	})
}

// TestFencedIsNoLoss: that an epoch of a transaction is too old says that somebody
// has a newer one, and not that the broker has forgotten what it acknowledged.
func TestFencedIsNoLoss(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		for code, want := range map[*kerr.Error]uint64{kerr.InvalidProducerEpoch: 0, kerr.OutOfOrderSequenceNumber: 1} {
			t.Run(code.Message, func(t *testing.T) {
				p := transactional(t, c, kring.TransactionalID("txn-"+code.Message))
				ctx := within(t)
				must(t, "Init", p.InitTransactions(ctx))
				must(t, "Begin", p.BeginTransaction())
				one := kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("x")}
				must(t, "Produce", p.Produce(ctx, one, nil))
				must(t, "Flush", p.Flush(ctx))
				failOnce(c, code.Code)
				if _, err := p.ProduceSync(ctx, one); !errors.Is(err, kring.KafkaError(code.Code)) {
					t.Errorf("the second record: %v", err)
				}
				must(t, "Abort", p.AbortTransaction(ctx))
				if n := p.Stats().SequencesLost; n != want {
					t.Errorf("%d sequences lost, want %d", n, want)
				}
			})
		}
	})
}

// failOnce answers the next Produce request with a code for every partition.
func failOnce(c *kfake.Cluster, code int16) {
	c.ControlKey(0, func(r kmsg.Request) (kmsg.Response, error, bool) {
		return answerAll(r.(*kmsg.ProduceRequest), code), nil, true
	})
}

// TestUnknownOutcome: an EndTxn without an answer is never reported as success
// and never forgotten; the same call again, or a new beginning, settles it.
func TestUnknownOutcome(t *testing.T) {
	for _, how := range []string{"again", "init"} {
		t.Run(how, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
				p := transactional(t, c)
				ctx := within(t)
				var got results
				must(t, "Init", p.InitTransactions(ctx))
				must(t, "Begin", p.BeginTransaction())
				produceSome(t, p, "first", 50, &got)
				answerEndTxn(c, kerr.UnknownServerError.Code)
				if err := p.CommitTransaction(ctx); !errors.Is(err, kring.ErrTransactionUnknown) {
					t.Fatalf("Commit: %v", err)
				}
				for name, err := range map[string]error{
					"Begin": p.BeginTransaction(), "Abort": p.AbortTransaction(ctx), "Produce": p.Produce(ctx, kring.Record{Topic: "t"}, nil),
				} {
					if !errors.Is(err, kring.ErrTransactionUnknown) {
						t.Errorf("%s: %v", name, err)
					}
				}
				want := []string{"second"}
				if how == "again" {
					must(t, "Commit again", p.CommitTransaction(ctx))
					want = append(want, "first")
				} else {
					must(t, "Init", p.InitTransactions(ctx))
				}
				must(t, "Begin", p.BeginTransaction())
				produceSome(t, p, "second", 50, &got)
				must(t, "Commit", p.CommitTransaction(ctx))
				wantCommitted(t, c, want...)
			})
		})
	}
}

// TestCommitSurvivesConnections: the coordinator's connection is cut at every
// request of the protocol in turn, before and after it was acted upon.
func TestCommitSurvivesConnections(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		var names []string
		for _, key := range []int16{0, 10, 22, 24, 26} {
			name := fmt.Sprintf("key%d", key)
			p := transactional(t, c)
			ctx := within(t)
			c.ControlKey(key, func(kmsg.Request) (kmsg.Response, error, bool) { return nil, errors.New("cut"), true })
			must(t, "Init", p.InitTransactions(ctx))
			var got results
			must(t, "Begin", p.BeginTransaction())
			produceSome(t, p, name, 50, &got)
			must(t, "Commit", p.CommitTransaction(ctx))
			names = append(names, name)
		}

		wantCommitted(t, c, names...)
	})
}

// TestSendOffsets: offsets count after the commit and not after an abort.
func TestSendOffsets(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		send := func(at int64) {
			must(t, "Begin", p.BeginTransaction())
			must(t, "SendOffsets", p.SendOffsets(ctx, map[kring.TopicPartition]kring.Offset{
				{Topic: "t", Partition: 1}: {Offset: at, Metadata: "m", LeaderEpoch: new(int32(0))},
				{Topic: "t", Partition: 3}: {Offset: at + 1},
			}, kring.GroupMetadata{GroupID: "g"}))
		}
		send(5)
		must(t, "Commit", p.CommitTransaction(ctx))
		send(50)
		must(t, "Abort", p.AbortTransaction(ctx))
		got := offsetsOf(t, c, "g")
		if len(got) != 2 || got[1] != 5 || got[3] != 6 {
			t.Errorf("offsets %v, want 5 of partition 1 and 6 of partition 3", got)
		}
	})
}

func offsetsOf(t *testing.T, c *kfake.Cluster, group string) map[int32]int64 {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	req.Groups = append(req.Groups, rg)
	resp, err := req.RequestWith(within(t), cl)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int32]int64{}
	for _, g := range resp.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				got[p.Partition] = p.Offset
			}
		}
	}
	return got
}

// TestAbortDropsUnsent: an abort does not wait for what nobody takes.
func TestAbortDropsUnsent(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c, kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var got results
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "lost", 50, &got)
		must(t, "Abort", p.AbortTransaction(ctx))
		for _, err := range got.all() {
			if pe := (*kring.ProduceError)(nil); !errors.Is(err, kring.ErrTransactionAborted) || !errors.As(err, &pe) || pe.Certainty != kring.NotPersisted {
				t.Fatalf("delivery %v", err)
			}
		}
		if n := len(got.all()); n != 50 {
			t.Errorf("%d deliveries, want 50", n)
		}
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "kept", 50, &got)
		must(t, "Commit", p.CommitTransaction(ctx))
		wantCommitted(t, c, "kept")
	})
}

// TestProduceBesideCommit: whatever was accepted before or beside a commit is
// in that transaction; nothing slips into the next one.
func TestProduceBesideCommit(t *testing.T) {
	c := start(t)
	p := transactional(t, c)
	ctx := within(t)
	must(t, "Init", p.InitTransactions(ctx))
	var committedOnes, abortedOnes atomic.Int64
	for round := range 40 {
		must(t, "Begin", p.BeginTransaction())
		var wg sync.WaitGroup
		var accepted atomic.Int64
		for range 4 {
			wg.Go(func() {
				for {
					err := p.Produce(ctx, kring.Record{Topic: "t", Value: fmt.Appendf(nil, "r%d", round)}, nil)
					if err != nil {
						if !errors.Is(err, kring.ErrTransactionState) {
							t.Errorf("Produce: %v", err)
						}
						return
					}
					accepted.Add(1)
				}
			})
		}
		time.Sleep(time.Millisecond)
		if round%2 == 0 {
			must(t, "Commit", p.CommitTransaction(ctx))
			wg.Wait()
			committedOnes.Add(accepted.Load())
		} else {
			must(t, "Abort", p.AbortTransaction(ctx))
			wg.Wait()
			abortedOnes.Add(accepted.Load())
		}
	}
	got := committed(t, c)
	for _, v := range got {
		var round int
		if _, err := fmt.Sscanf(v, "r%d", &round); err != nil || round%2 != 0 {
			t.Fatalf("record %q of an aborted transaction is seen", v)
		}
	}
	if int64(len(got)) != committedOnes.Load() {
		t.Errorf("%d records are seen, %d were accepted in committed transactions (%d in aborted ones)", len(got), committedOnes.Load(), abortedOnes.Load())
	}
}

// TestCloseAborts: Close ends the transaction, so that readers need not wait
// for its timeout.
func TestCloseAborts(t *testing.T) {
	c := start(t)
	p := transactional(t, c)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var ends atomic.Int32
	c.ControlKey(26, func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !r.(*kmsg.EndTxnRequest).Commit {
			ends.Add(1)
		}
		return nil, nil, false
	})
	must(t, "Init", p.InitTransactions(ctx))
	must(t, "Begin", p.BeginTransaction())
	var got results
	produceSome(t, p, "lost", 50, &got)
	must(t, "Flush", p.Flush(ctx))
	must(t, "Close", p.Close(ctx))
	if ends.Load() != 1 {
		t.Errorf("%d aborts, want 1", ends.Load())
	}
	if err := p.BeginTransaction(); !errors.Is(err, kring.ErrClosed) {
		t.Errorf("BeginTransaction after Close: %v", err)
	}
	wantCommitted(t, c)
}

// TestAbortOfWhatCannotBeAdded: while the coordinator does not take a partition,
// nothing of it is sent; an abort does not wait for it.
func TestAbortOfWhatCannotBeAdded(t *testing.T) {
	c := start(t)
	withoutImplicitAdding(t, c)
	var produced atomic.Int32
	c.ControlKey(0, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		produced.Add(1)
		return nil, nil, false
	})
	asked := make(chan struct{}, 1000)
	c.ControlKey(24, func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		select {
		case asked <- struct{}{}:
		default:
		}
		resp := r.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
		for _, rt := range r.(*kmsg.AddPartitionsToTxnRequest).Topics {
			t := kmsg.NewAddPartitionsToTxnResponseTopic()
			t.Topic = rt.Topic
			for _, i := range rt.Partitions {
				p := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
				p.Partition, p.ErrorCode = i, kerr.UnknownTopicOrPartition.Code
				t.Partitions = append(t.Partitions, p)
			}
			resp.Topics = append(resp.Topics, t)
		}
		return resp, nil, true
	})
	p := transactional(t, c)
	ctx := within(t)
	must(t, "Init", p.InitTransactions(ctx))
	var got results
	must(t, "Begin", p.BeginTransaction())
	produceSome(t, p, "lost", 50, &got)
	for range 3 {
		<-asked
	}
	must(t, "Abort", p.AbortTransaction(ctx))
	if n := produced.Load(); n != 0 {
		t.Errorf("%d Produce requests for partitions that are not in the transaction", n)
	}
	if n := len(got.all()); n != 50 {
		t.Errorf("%d deliveries, want 50", n)
	}
	must(t, "Begin", p.BeginTransaction())
}
