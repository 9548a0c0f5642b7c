package kfake

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestDeadlineInTransaction: a record whose deadline passes is missing from its
// transaction, which can then only be aborted.
func TestDeadlineInTransaction(t *testing.T) {
	eachVersion(t, func(t *testing.T, c *kfake.Cluster, _ bool) {
		p := transactional(t, c)
		ctx := within(t)
		must(t, "Init", p.InitTransactions(ctx))
		var refusing atomic.Bool
		refusing.Store(true)
		c.ControlKey(0, func(r kmsg.Request) (kmsg.Response, error, bool) {
			if !refusing.Load() {
				return nil, nil, false
			}
			c.KeepControl()
			return answerAll(r.(*kmsg.ProduceRequest), kerr.NotEnoughReplicas.Code), nil, true
		})
		var got results
		must(t, "Begin", p.BeginTransaction())
		must(t, "Produce", p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("lost")}, got.take))
		for p.Stats().Retries == 0 { // then what follows has to wait
			time.Sleep(time.Millisecond)
		}
		deadline := time.Now().Add(time.Second)
		must(t, "Produce", p.Produce(ctx, kring.Record{Topic: "t", Partition: kring.On(0), Value: []byte("lost"), Deadline: deadline}, got.take))
		time.Sleep(time.Until(deadline) + time.Millisecond)
		refusing.Store(false)
		if err := p.CommitTransaction(ctx); !errors.Is(err, kring.ErrTransactionAbortable) || !errors.Is(err, kring.ErrRecordDeadline) {
			t.Errorf("Commit: %v", err)
		}
		must(t, "Abort", p.AbortTransaction(ctx))
		if all := got.all(); len(all) != 2 || !errors.Is(all[1], kring.ErrRecordDeadline) {
			t.Errorf("deliveries %v", all)
		}
		must(t, "Begin", p.BeginTransaction())
		produceSome(t, p, "kept", 50, &got)
		must(t, "Commit", p.CommitTransaction(ctx))
		wantCommitted(t, c, "kept")
	})
}

// answerAll answers code for every partition of req.
func answerAll(req *kmsg.ProduceRequest, code int16) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, rt := range req.Topics {
		t := kmsg.NewProduceResponseTopic()
		t.Topic, t.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.ErrorCode, p.BaseOffset = rp.Partition, code, -1
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}
