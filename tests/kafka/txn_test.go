//go:build kafka

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
)

const txnPartitions = 6

// txnRig is a cluster and a topic for transactions.
type txnRig struct {
	*cluster
	topic string
	// options are those of every producer.
	options []kring.Option
	// kept are the values that a reader of committed records must see.
	kept []string
}

// TestTransactions runs on one node, at each level of transaction.version: with
// 2 brokers add partitions to a transaction by themselves (KIP-890), below it
// the producer does.
func TestTransactions(t *testing.T) {
	c := need(t, 1, "transaction.abort.timed.out.transaction.cleanup.interval.ms=500")
	for _, level := range []int16{2, 1, 0} {
		t.Run(fmt.Sprintf("version %d", level), func(t *testing.T) {
			c.setTransactionVersion(t, level)
			for _, tc := range []struct {
				name string
				run  func(*txnRig, *testing.T)
			}{
				{"commit and abort", (*txnRig).testOutcomes},
				{"offsets", (*txnRig).testOffsets},
				{"fencing", (*txnRig).testFencing},
				{"timeout", (*txnRig).testTimeout},
				{"crash", (*txnRig).testCrash},
			} {
				t.Run(tc.name, func(t *testing.T) {
					r := &txnRig{cluster: c, topic: c.topic(t, txnPartitions)}
					tc.run(r, t)
					r.checkCommitted(t)
				})
			}
		})
	}
}

// setTransactionVersion finalizes the feature.
func (c *cluster) setTransactionVersion(t *testing.T, level int16) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // cleanups come here too
	defer cancel()
	for upgrade := int8(1); upgrade <= 2; upgrade++ { // up, or else safely down
		request := kmsg.NewPtrUpdateFeaturesRequest()
		feature := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
		feature.Feature, feature.MaxVersionLevel, feature.UpgradeType = "transaction.version", level, upgrade
		request.FeatureUpdates = append(request.FeatureUpdates, feature)
		answer, err := request.RequestWith(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		refused := answer.ErrorCode
		for _, result := range answer.Results {
			refused = max(refused, result.ErrorCode)
		}
		if refused == 0 {
			return
		}
		if upgrade == 2 {
			t.Fatalf("transaction.version=%d: error code %d: %+v", level, refused, answer)
		}
	}
}

// producer makes a transactional producer that is initialised.
func (r *txnRig) producer(t *testing.T, id string, options ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(slices.Concat([]kring.Option{
		kring.Brokers(r.bootstrap...), kring.TransactionalID(r.topic + id), kring.Linger(0),
	}, r.options, options)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Close(ctx); err != nil && !errors.Is(err, context.Canceled) { // see testCrash
			t.Error(err)
		}
	})
	if err := p.InitTransactions(inAMinute(t)); err != nil {
		t.Fatal(err)
	}
	return p
}

func inAMinute(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// produce accepts 30 records, to every partition, and returns their values.
func (r *txnRig) produce(ctx context.Context, p *kring.Producer, name string) ([]string, error) {
	var values []string
	for i := range 30 {
		values = append(values, fmt.Sprintf("%s-%d", name, i))
		record := kring.Record{Topic: r.topic, Partition: kring.On(int32(i % txnPartitions)), Value: []byte(values[i])}
		if err := p.Produce(ctx, record, nil); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// begin begins a transaction of 30 records that have been sent.
func (r *txnRig) begin(t *testing.T, p *kring.Producer, name string) []string {
	t.Helper()
	if err := p.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	values, err := r.produce(inAMinute(t), p, name)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func (r *txnRig) commit(t *testing.T, p *kring.Producer, values []string) {
	t.Helper()
	if err := p.CommitTransaction(inAMinute(t)); err != nil {
		t.Fatal(err)
	}
	r.kept = append(r.kept, values...)
}

// checkCommitted reads with franz-go's client what is committed.
func (r *txnRig) checkCommitted(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.bootstrap...), kgo.ConsumeTopics(r.topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const end = "end"
	for i := range int32(txnPartitions) {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: r.topic, Partition: i, Value: []byte(end)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for ends := 0; ends < txnPartitions; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d records read, %d of %d ends: %v", len(got), ends, txnPartitions, err)
		}
		fetches.EachRecord(func(k *kgo.Record) {
			if string(k.Value) == end {
				ends++
			} else {
				got = append(got, string(k.Value))
			}
		})
	}
	slices.Sort(got)
	slices.Sort(r.kept)
	if !slices.Equal(got, r.kept) {
		t.Errorf("a reader of committed records sees %d, want %d:\n%v\nwant\n%v", len(got), len(r.kept), got, r.kept)
	}
}

func (r *txnRig) testOutcomes(t *testing.T) {
	p := r.producer(t, "")
	for i := range 6 {
		values := r.begin(t, p, fmt.Sprint(i))
		if i%2 == 0 {
			r.commit(t, p, values)
		} else if err := p.AbortTransaction(inAMinute(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// testOffsets commits offsets, then aborts others.
func (r *txnRig) testOffsets(t *testing.T) {
	p := r.producer(t, "")
	group := r.topic + "-group"
	for _, at := range []int64{7, 70} {
		values := r.begin(t, p, fmt.Sprint("offset ", at))
		err := p.SendOffsets(inAMinute(t), map[kring.TopicPartition]kring.Offset{
			{Topic: r.topic, Partition: 2}: {Offset: at, Metadata: "m"},
		}, kring.GroupMetadata{GroupID: group})
		if err != nil {
			t.Fatal(err)
		}
		if at == 7 {
			r.commit(t, p, values)
		} else if err := p.AbortTransaction(inAMinute(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.offset(t, group, 2); got != 7 {
		t.Errorf("the group's offset is %d, want 7", got)
	}
	// A member that the group does not know must not commit anything.
	r.begin(t, p, "zombie")
	err := p.SendOffsets(inAMinute(t), map[kring.TopicPartition]kring.Offset{{Topic: r.topic, Partition: 2}: {Offset: 8}},
		kring.GroupMetadata{GroupID: group, MemberID: "nobody", Generation: 3})
	if !errors.Is(err, kring.ErrTransactionAbortable) {
		t.Errorf("SendOffsets of a member that is not one: %v", err)
	}
	if err := p.CommitTransaction(inAMinute(t)); !errors.Is(err, kring.ErrTransactionAbortable) {
		t.Errorf("Commit after that: %v", err)
	}
	if err := p.AbortTransaction(inAMinute(t)); err != nil {
		t.Fatal(err)
	}
	r.commit(t, p, r.begin(t, p, "after"))
}

// offset is what the group has committed. An EndTxn may be answered before its
// markers are written; until then the offset is unstable.
func (r *txnRig) offset(t *testing.T, group string, partition int32) int64 {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrOffsetFetchRequest()
	asked := kmsg.NewOffsetFetchRequestGroup()
	asked.Group = group
	request.Group, request.RequireStable = group, true
	request.Groups = append(request.Groups, asked)
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); time.Sleep(50 * time.Millisecond) {
		answer, err := request.RequestWith(inAMinute(t), client)
		if err != nil {
			t.Fatal(err)
		}
		found, code := committedOffset(answer, partition)
		if code != kerr.UnstableOffsetCommit.Code {
			return found
		}
	}
	t.Fatal("the group's offset was unstable for a minute")
	return -1
}

// committedOffset finds one partition in an answer about one group.
func committedOffset(answer *kmsg.OffsetFetchResponse, partition int32) (offset int64, code int16) {
	for _, g := range answer.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				if p.Partition == partition {
					return p.Offset, p.ErrorCode
				}
			}
		}
	}
	return -1, 0
}

// testFencing lets a second producer take the id over at several moments of
// the first one's transaction.
func (r *txnRig) testFencing(t *testing.T) {
	for _, when := range []string{"produced", "flushed", "begun", "between"} {
		old := r.producer(t, when)
		switch when {
		case "between":
			r.commit(t, old, r.begin(t, old, "before"))
		case "begun":
			if err := old.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
		case "produced", "flushed":
			r.begin(t, old, "lost")
			if err := old.Flush(inAMinute(t)); err != nil {
				t.Fatal(err)
			}
		}
		young := r.producer(t, when)
		if when == "between" {
			if err := old.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
		}
		if when == "flushed" {
			// The coordinator is the first to tell.
		} else if _, err := r.produce(inAMinute(t), old, "late"); err != nil && !errors.Is(err, kring.ErrTransactionFatal) && !errors.Is(err, kring.ErrTransactionAbortable) {
			t.Errorf("%s: Produce: %v", when, err)
		}
		err := old.CommitTransaction(inAMinute(t))
		t.Logf("%s: %v", when, err)
		if err == nil {
			t.Errorf("%s: the fenced producer has committed", when)
		}
		if errors.Is(err, kring.ErrTransactionAbortable) {
			err = old.AbortTransaction(inAMinute(t))
		}
		if !errors.Is(err, kring.ErrFenced) || !errors.Is(err, kring.ErrTransactionFatal) {
			t.Errorf("%s: the fenced producer ends with %v", when, err)
		}
		r.commit(t, young, r.begin(t, young, "young "+when))
	}
}

// testTimeout lets a transaction last too long: the coordinator aborts it. Then
// either an abort gets the producer a new epoch, or the coordinator does not
// want it any more, and a new producer takes over.
func (r *txnRig) testTimeout(t *testing.T) {
	p := r.producer(t, "", kring.TransactionTimeout(time.Second))
	r.begin(t, p, "lost")
	if err := p.Flush(inAMinute(t)); err != nil {
		t.Fatal(err)
	}
	// Until a reader of committed records is let past the records, the
	// coordinator has not ended the transaction.
	r.checkCommitted(t)
	_, err := r.produce(inAMinute(t), p, "late")
	if err == nil {
		err = p.CommitTransaction(inAMinute(t))
	}
	t.Logf("after the timeout: %v", err)
	switch {
	case errors.Is(err, kring.ErrTransactionAbortable):
		err := p.AbortTransaction(inAMinute(t))
		t.Logf("AbortTransaction: %v", err)
		if errors.Is(err, kring.ErrFenced) {
			p = r.producer(t, "")
		} else if err != nil {
			t.Fatal(err)
		}
		r.commit(t, p, r.begin(t, p, "recovered"))
	case !errors.Is(err, kring.ErrTransactionFatal):
		t.Errorf("a transaction that timed out: %v", err)
	}
}

// testCrash closes a producer in the middle; its successor begins at once.
func (r *txnRig) testCrash(t *testing.T) {
	p := r.producer(t, "")
	r.begin(t, p, "lost")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = p.Close(gone) // given up at once: the transaction stays open
	next := r.producer(t, "")
	r.commit(t, next, r.begin(t, next, "next"))
}

// TestTransactionsKilled kills the leader of most partitions, which is also the
// coordinator of some of the producers, while several producers commit one
// transaction after the other. Of each transaction all records are seen or
// none, and all of those whose commit was reported.
func TestTransactionsKilled(t *testing.T) {
	c := need(t, 3)
	if !c.ours {
		t.Skip("the nodes are not the rig's, so they can not be killed")
	}
	t.Cleanup(func() { c.setTransactionVersion(t, 2) })
	for _, level := range []int16{2, 1} {
		t.Run(fmt.Sprintf("version %d", level), func(t *testing.T) {
			c.setTransactionVersion(t, level)
			r := &txnRig{cluster: c, topic: c.topic(t, txnPartitions)}
			r.killUnderLoad(t)
			r.checkCommitted(t)
		})
	}
}

func (r *txnRig) killUnderLoad(t *testing.T) {
	const producers = 3
	stop := make(chan struct{})
	kept := make([][]string, producers)
	var aborted, unclear atomic.Int32
	var wg sync.WaitGroup
	for i := range producers {
		p := r.producer(t, fmt.Sprint(i), kring.ConnectionsPerBroker(1+i))
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				values, done, err := r.transaction(t.Context(), p, fmt.Sprintf("p%d-t%d", i, n), &unclear)
				if err != nil {
					t.Errorf("producer %d, transaction %d: %v", i, n, err)
					return
				}
				if done {
					kept[i] = append(kept[i], values...)
				} else {
					aborted.Add(1)
				}
			}
		})
	}
	time.Sleep(2 * time.Second)
	err := r.killBusiest(t)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	r.kept = slices.Concat(kept...)
	t.Logf("%d transactions committed, %d aborted, %d times no answer", len(r.kept)/30, aborted.Load(), unclear.Load())
	if len(r.kept) == 0 {
		t.Error("nothing was committed")
	}
}

// killBusiest kills the leader of most partitions, and starts it again once the
// others have noticed.
func (r *txnRig) killBusiest(t *testing.T) error {
	leader, err := r.admin.BusiestLeader(t.Context(), r.topic)
	if err != nil {
		return err
	}
	if err := r.rig.Kill(leader); err != nil {
		return err
	}
	time.Sleep(5 * time.Second) // its session ends after three
	if err := r.rig.Start(leader); err != nil {
		return err
	}
	return r.admin.WaitInSync(inAMinute(t), r.topic, txnPartitions)
}

// transaction is one transaction, until it is certainly committed or aborted.
func (r *txnRig) transaction(ctx context.Context, p *kring.Producer, name string, unclear *atomic.Int32) (values []string, done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := p.BeginTransaction(); err != nil {
		return nil, false, fmt.Errorf("begin: %w", err)
	}
	values, err = r.produce(ctx, p, name)
	if err == nil {
		err = p.CommitTransaction(ctx)
	}
	for errors.Is(err, kring.ErrTransactionUnknown) {
		unclear.Add(1)
		err = p.CommitTransaction(ctx)
	}
	if err == nil {
		return values, true, nil
	}
	if !errors.Is(err, kring.ErrTransactionAbortable) {
		return nil, false, fmt.Errorf("commit: %w", err)
	}
	err = p.AbortTransaction(ctx)
	for errors.Is(err, kring.ErrTransactionUnknown) {
		unclear.Add(1)
		err = p.AbortTransaction(ctx)
	}
	return nil, false, err
}
