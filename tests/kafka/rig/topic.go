package rig

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Admin manages topics of any cluster, the rig's or another one.
type Admin struct{ client *kgo.Client }

// NewAdmin connects to a bootstrap list when it is first used.
func NewAdmin(bootstrap []string) (*Admin, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &Admin{client: client}, nil
}

// Close ends the connections.
func (a *Admin) Close() { a.client.Close() }

// CreateTopic creates a topic with "name=value" configs and waits until every
// partition has a leader that serves it and all of its replicas in sync.
func (a *Admin) CreateTopic(ctx context.Context, name string, partitions, replicas int, configs ...string) error {
	if err := a.RequestTopic(ctx, name, partitions, replicas, configs...); err != nil {
		return err
	}
	if err := a.WaitInSync(ctx, name, partitions); err != nil {
		return err
	}
	return a.waitServed(ctx, name, partitions)
}

// RequestTopic creates a topic and does not wait: for a moment metadata names
// leaders that do not know of it yet.
func (a *Admin) RequestTopic(ctx context.Context, name string, partitions, replicas int, configs ...string) error {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, int32(partitions), int16(replicas)
	for _, c := range configs {
		key, value, ok := strings.Cut(c, "=")
		if !ok {
			return fmt.Errorf("kafka: topic config %q is not name=value", c)
		}
		config := kmsg.NewCreateTopicsRequestTopicConfig()
		config.Name, config.Value = key, &value
		topic.Configs = append(topic.Configs, config)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, topic), 30_000
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return fmt.Errorf("kafka: topic %s: %w", name, err)
	}
	for _, t := range answer.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return fmt.Errorf("kafka: topic %s: %w", name, err)
		}
	}
	return nil
}

// waitServed asks the leader of each partition for its end until all answer. A
// broker publishes new metadata before it makes the partitions, and refuses
// records in between.
func (a *Admin) waitServed(ctx context.Context, name string, partitions int) error {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = name
	for i := range partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = int32(i), -1
		topic.Partitions = append(topic.Partitions, partition)
	}
	for {
		request := kmsg.NewPtrListOffsetsRequest()
		request.ReplicaID, request.Topics = -1, []kmsg.ListOffsetsRequestTopic{topic}
		served := 0
		if answer, err := request.RequestWith(ctx, a.client); err == nil {
			for _, t := range answer.Topics {
				for _, p := range t.Partitions {
					if p.ErrorCode == 0 {
						served++
					}
				}
			}
		}
		if served == partitions {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kafka: topic %s: %d of %d partitions are served: %w", name, served, partitions, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// DeleteTopic deletes a topic.
func (a *Admin) DeleteTopic(ctx context.Context, name string) error {
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = &name
	request := kmsg.NewPtrDeleteTopicsRequest()
	request.Topics, request.TopicNames, request.TimeoutMillis = append(request.Topics, topic), []string{name}, 30_000
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return fmt.Errorf("kafka: topic %s: %w", name, err)
	}
	for _, t := range answer.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return fmt.Errorf("kafka: topic %s: %w", name, err)
		}
	}
	return nil
}

// Grow raises the number of partitions of a topic.
func (a *Admin) Grow(ctx context.Context, name string, partitions int) error {
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = name, int32(partitions)
	request := kmsg.NewPtrCreatePartitionsRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, topic), 30_000
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return fmt.Errorf("kafka: topic %s: %w", name, err)
	}
	for _, t := range answer.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			return fmt.Errorf("kafka: topic %s: %w", name, err)
		}
	}
	return nil
}

// Describe asks for a topic's partitions without creating it.
func (a *Admin) Describe(ctx context.Context, name string) (*kmsg.MetadataResponseTopic, int, error) {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &name
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = append(request.Topics, topic)
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return nil, 0, fmt.Errorf("kafka: metadata: %w", err)
	}
	if len(answer.Topics) != 1 {
		return nil, len(answer.Brokers), errors.New("kafka: metadata without the topic")
	}
	return &answer.Topics[0], len(answer.Brokers), kerr.ErrorForCode(answer.Topics[0].ErrorCode)
}

// WaitInSync waits until the topic has that many partitions, each with a leader
// and with all replicas in sync.
func (a *Admin) WaitInSync(ctx context.Context, name string, partitions int) error {
	for {
		inSync, _ := a.InSync(ctx, name)
		if inSync >= partitions {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kafka: topic %s: %d of %d partitions are in sync: %w", name, inSync, partitions, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// InSync counts the partitions that have a leader and all replicas in sync.
func (a *Admin) InSync(ctx context.Context, name string) (int, error) {
	t, _, err := a.Describe(ctx, name)
	if err != nil {
		return 0, err
	}
	inSync := 0
	for _, p := range t.Partitions {
		if p.ErrorCode == 0 && p.Leader >= 0 && len(p.ISR) == len(p.Replicas) {
			inSync++
		}
	}
	return inSync, nil
}

// BusiestLeader returns the broker that leads most partitions of a topic.
func (a *Admin) BusiestLeader(ctx context.Context, name string) (int, error) {
	t, _, err := a.Describe(ctx, name)
	if err != nil {
		return 0, err
	}
	leads := map[int32]int{}
	best := int32(-1)
	for _, p := range t.Partitions {
		if p.Leader < 0 {
			continue
		}
		leads[p.Leader]++
		if best < 0 || leads[p.Leader] > leads[best] {
			best = p.Leader
		}
	}
	if best < 0 {
		return 0, fmt.Errorf("kafka: topic %s has no leader at all", name)
	}
	return int(best), nil
}

// Brokers returns the number of live brokers.
func (a *Admin) Brokers(ctx context.Context) (int, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return 0, fmt.Errorf("kafka: metadata: %w", err)
	}
	return len(answer.Brokers), nil
}
