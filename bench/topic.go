package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// DefaultPartitions of a topic that the harness creates.
const DefaultPartitions = 12

// topicPatience is how long a created topic may take to have leaders.
const topicPatience = 30 * time.Second

// ensureTopic returns the topic as it will be used. A missing one is created,
// with partitions (0: the default) and replication (0: the cluster's default).
func ensureTopic(ctx context.Context, a *Access, topic string, partitions, replication int) (view topicView, created bool, err error) {
	k, err := a.dial(ctx)
	if err != nil {
		return topicView{}, false, err
	}
	defer k.close()
	if view, err = k.describe(ctx, topic); err != nil {
		return view, false, err
	}
	if !view.exists {
		if partitions == 0 {
			partitions = DefaultPartitions
		}
		if err := createTopic(ctx, a, k, &view, partitions, replication); err != nil {
			return view, false, err
		}
		created = true
	}
	for give := time.Now().Add(topicPatience); !view.ready(); {
		if time.Now().After(give) {
			return view, created, fmt.Errorf("topic %s has a partition without a leader", topic)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return view, created, ctx.Err()
		}
		if view, err = k.describe(ctx, topic); err != nil {
			return view, created, err
		}
	}
	if !created && partitions > 0 && partitions != len(view.leaders) {
		return view, false, UsageError(fmt.Errorf("topic %s has %d partitions, not %d: leave out --partitions", topic, len(view.leaders), partitions))
	}
	return view, created, nil
}

// createTopic asks the controller, falling back to the broker at hand: since
// KRaft any broker forwards the request.
func createTopic(ctx context.Context, a *Access, k *kafkaConn, view *topicView, partitions, replication int) error {
	c, done := controllerOf(ctx, a, k, view)
	defer done()
	req := kmsg.NewPtrCreateTopicsRequest()
	if _, ok := c.versions.Pick(req.Key(), 0, req.MaxVersion()); !ok {
		// Some brokers, such as kbench's, create what is asked for instead.
		_, err := k.metadata(ctx, view.name, true)
		return err
	}
	req.TimeoutMillis = int32(topicPatience / time.Millisecond)
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = view.name, int32(partitions), int16(replication)
	if replication == 0 {
		t.ReplicationFactor = int16(min(len(view.brokers), 3))
	}
	req.Topics = append(req.Topics, t)
	raw, err := c.request(ctx, req, 5)
	if err != nil {
		return fmt.Errorf("topic %s can not be created: %w", view.name, err)
	}
	for _, t := range raw.(*kmsg.CreateTopicsResponse).Topics {
		if t.ErrorCode == codeNone || t.ErrorCode == codeTopicExists {
			continue
		}
		message := brokerError(t.ErrorCode).Error()
		if t.ErrorMessage != nil {
			message = *t.ErrorMessage
		}
		return fmt.Errorf("topic %s can not be created: %s", view.name, message)
	}
	return nil
}

// controllerOf returns a connection to the controller, or k where it is not
// known or does not answer.
func controllerOf(ctx context.Context, a *Access, k *kafkaConn, view *topicView) (c *kafkaConn, done func()) {
	address, known := view.brokers[view.controller]
	if !known || address == k.address {
		return k, func() {}
	}
	c, err := a.dialAny(ctx, address)
	if err != nil {
		return k, func() {}
	}
	return c, c.close
}

// deleteTopic removes a temporary topic.
func deleteTopic(ctx context.Context, a *Access, topic string) error {
	k, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer k.close()
	view, err := k.describe(ctx, topic)
	if err != nil {
		return err
	}
	c, done := controllerOf(ctx, a, k, &view)
	defer done()
	req := kmsg.NewPtrDeleteTopicsRequest()
	if _, ok := c.versions.Pick(req.Key(), 0, req.MaxVersion()); !ok {
		return nil // It ends with the broker, as kbench's does.
	}
	req.TimeoutMillis = int32(topicPatience / time.Millisecond)
	req.TopicNames = []string{topic}
	raw, err := c.request(ctx, req, 5)
	if err != nil {
		return err
	}
	for _, t := range raw.(*kmsg.DeleteTopicsResponse).Topics {
		if t.ErrorCode != codeNone && t.ErrorCode != codeUnknownTopic {
			return brokerError(t.ErrorCode)
		}
	}
	return nil
}

const (
	offsetLatest   = -1
	offsetEarliest = -2
)

// listOffsets returns an offset of every partition, asked of its leader. While
// leaders change, and just after a topic was created, brokers disagree about
// who they are; so it asks again for a while.
func listOffsets(ctx context.Context, a *Access, topic string, which int64) ([]int64, error) {
	for give := time.Now().Add(topicPatience); ; {
		out, err := listOnce(ctx, a, topic, which)
		if err == nil || ctx.Err() != nil || time.Now().After(give) {
			return out, err
		}
		var code brokerError
		if errors.As(err, &code) && !code.passes() {
			return nil, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func listOnce(ctx context.Context, a *Access, topic string, which int64) ([]int64, error) {
	k, err := a.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer k.close()
	view, err := k.describe(ctx, topic)
	if err != nil {
		return nil, err
	}
	if !view.ready() {
		return nil, fmt.Errorf("topic %s has a partition without a leader", topic)
	}
	out := make([]int64, len(view.leaders))
	for node, partitions := range view.byLeader() {
		if err := listFrom(ctx, a, view.brokers[node], topic, which, partitions, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// byLeader groups the partitions by the broker that leads them.
func (v *topicView) byLeader() map[int32][]int32 {
	out := map[int32][]int32{}
	for p, leader := range v.leaders {
		out[leader] = append(out[leader], int32(p))
	}
	return out
}

func listFrom(ctx context.Context, a *Access, address, topic string, which int64, partitions []int32, out []int64) error {
	k, err := a.dialAny(ctx, address)
	if err != nil {
		return err
	}
	defer k.close()
	req := kmsg.NewPtrListOffsetsRequest()
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for _, p := range partitions {
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.Timestamp = p, which
		t.Partitions = append(t.Partitions, rp)
	}
	req.Topics = append(req.Topics, t)
	raw, err := k.request(ctx, req, 5)
	if err != nil {
		return err
	}
	for _, t := range raw.(*kmsg.ListOffsetsResponse).Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != codeNone {
				return fmt.Errorf("offsets of %s-%d: %w", topic, p.Partition, brokerError(p.ErrorCode))
			}
			if p.Partition < 0 || int(p.Partition) >= len(out) {
				return errors.New("offsets of a partition that was not asked for")
			}
			out[p.Partition] = p.Offset
		}
	}
	return nil
}
