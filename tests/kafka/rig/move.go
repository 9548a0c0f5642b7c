package rig

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MoveLeader makes the next replica of a partition its leader, while all nodes
// go on, and waits until metadata says so.
func (a *Admin) MoveLeader(ctx context.Context, name string, partition int32) error {
	replicas, leader, err := a.replicas(ctx, name, partition)
	if err != nil {
		return err
	}
	order := append(append([]int32{}, replicas[1:]...), replicas[0])
	if err := a.reassign(ctx, name, partition, order); err != nil {
		return fmt.Errorf("kafka: topic %s, partition %d: new order of replicas: %w", name, partition, err)
	}
	for {
		// Refused while the new order is not known everywhere.
		electErr := a.electPreferred(ctx, name, partition)
		if _, now, err := a.replicas(ctx, name, partition); err == nil && now >= 0 && now != leader {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("kafka: topic %s, partition %d is still led by node %d: %w (%w)", name, partition, leader, ctx.Err(), electErr)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (a *Admin) replicas(ctx context.Context, name string, partition int32) (all []int32, leader int32, err error) {
	topic, _, err := a.Describe(ctx, name)
	if err != nil {
		return nil, -1, err
	}
	for _, p := range topic.Partitions {
		if p.Partition == partition && len(p.Replicas) > 1 {
			return p.Replicas, p.Leader, nil
		}
	}
	return nil, -1, fmt.Errorf("kafka: topic %s has no partition %d with several replicas", name, partition)
}

func (a *Admin) reassign(ctx context.Context, name string, partition int32, order []int32) error {
	p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
	p.Partition, p.Replicas = partition, order
	topic := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	topic.Topic, topic.Partitions = name, append(topic.Partitions, p)
	request := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, topic), 30_000
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	code := answer.ErrorCode
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			code = max(code, p.ErrorCode)
		}
	}
	return kerr.ErrorForCode(code)
}

func (a *Admin) electPreferred(ctx context.Context, name string, partition int32) error {
	topic := kmsg.NewElectLeadersRequestTopic()
	topic.Topic, topic.Partitions = name, []int32{partition}
	request := kmsg.NewPtrElectLeadersRequest()
	request.Topics, request.TimeoutMillis = append(request.Topics, topic), 30_000
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	code := answer.ErrorCode
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			code = max(code, p.ErrorCode)
		}
	}
	return kerr.ErrorForCode(code)
}
