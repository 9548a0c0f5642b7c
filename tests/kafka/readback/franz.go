package readback

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring/tests/ledger"
)

// stallPatience is how long a reader waits for the next record.
const stallPatience = 60 * time.Second

// Franz reads with franz-go.
func Franz(ctx context.Context, bootstrap []string, topic string, add func(*ledger.Entry)) (int, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap...),
		kgo.FetchMaxPartitionBytes(4<<20),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return 0, fmt.Errorf("readback: %w", err)
	}
	defer client.Close()
	ends, err := endOffsets(ctx, client, topic)
	if err != nil {
		return 0, err
	}
	from := map[int32]kgo.Offset{}
	for partition, end := range ends {
		if end > 0 {
			from[partition] = kgo.NewOffset().At(0)
		}
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	open := len(from)
	n := 0
	var (
		e       ledger.Entry
		headers []ledger.Header
	)
	for open > 0 {
		fetches, err := poll(ctx, client)
		if err != nil {
			return n, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end := ends[r.Partition]
			if r.Offset >= end {
				return
			}
			headers = headers[:0]
			for _, h := range r.Headers {
				headers = append(headers, ledger.Header{Key: h.Key, Value: h.Value})
			}
			e.Fill(r.Partition, r.Offset, r.Timestamp.UnixMilli(), r.Key, r.Value, headers)
			add(&e)
			n++
			if r.Offset == end-1 {
				open--
			}
		})
	}
	return n, nil
}

// poll waits for records; none for a while is an error, because the log is
// known to have more.
func poll(ctx context.Context, client *kgo.Client) (kgo.Fetches, error) {
	ctx, cancel := context.WithTimeout(ctx, stallPatience)
	defer cancel()
	fetches := client.PollFetches(ctx)
	for _, f := range fetches.Errors() {
		return nil, fmt.Errorf("readback: partition %d: %w", f.Partition, f.Err)
	}
	return fetches, nil
}

// endOffsets returns the end of every partition of the topic.
func endOffsets(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	metadata := kmsg.NewPtrMetadataRequest()
	name := kmsg.NewMetadataRequestTopic()
	name.Topic = kmsg.StringPtr(topic)
	metadata.Topics = append(metadata.Topics, name)
	found, err := metadata.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("readback: metadata: %w", err)
	}
	if err := kerr.ErrorForCode(found.Topics[0].ErrorCode); err != nil {
		return nil, fmt.Errorf("readback: topic %s: %w", topic, err)
	}
	list := kmsg.NewListOffsetsRequestTopic()
	list.Topic = topic
	for _, p := range found.Topics[0].Partitions {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = p.Partition, -1
		list.Partitions = append(list.Partitions, partition)
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.ReplicaID, request.Topics = -1, append(request.Topics, list)
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("readback: end offsets: %w", err)
	}
	ends := map[int32]int64{}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("readback: end of partition %d: %w", p.Partition, err)
			}
			ends[p.Partition] = p.Offset
		}
	}
	return ends, nil
}
