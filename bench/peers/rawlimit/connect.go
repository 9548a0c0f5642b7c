package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/wire"
)

// connect opens a link to every broker that leads a partition of the topic.
func connect(ctx context.Context, plan *bench.Config, done bench.Done) ([]*link, []spot, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s := &plan.Settings
	control, err := cluster.NewClient(cluster.Config{Bootstrap: s.Brokers, ClientID: "rawlimit"})
	if err != nil {
		return nil, nil, bench.UsageError(err)
	}
	defer control.Close()
	topic, brokers, err := describe(ctx, control, s.Topic)
	if err != nil {
		return nil, nil, err
	}
	producer := producerID{-1, -1}
	if s.Idempotent {
		if producer.id, producer.epoch, err = control.InitProducerID(ctx); err != nil {
			return nil, nil, err
		}
	}
	leads := map[int32][]int32{}
	for _, p := range topic.Partitions {
		leads[p.Leader] = append(leads[p.Leader], p.Index)
	}
	var links []*link
	where := make([]spot, len(topic.Partitions))
	for _, b := range brokers {
		partitions := leads[b.ID]
		if len(partitions) == 0 {
			continue
		}
		slices.Sort(partitions)
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		l, err := newLink(ctx, control, address, s, topic, partitions)
		if err != nil {
			return nil, nil, err
		}
		l.producer, l.done = producer, done
		links = append(links, l)
		for i, p := range partitions {
			where[p] = spot{l, i}
		}
	}
	return links, where, nil
}

// describe waits until every partition has a leader.
func describe(ctx context.Context, c *cluster.Client, name string) (*cluster.Topic, []cluster.Broker, error) {
	for {
		m, err := c.Metadata(ctx, []string{name})
		if err != nil {
			return nil, nil, err
		}
		if len(m.Topics) == 1 && m.Topics[0].ErrorCode == 0 && len(m.Topics[0].Partitions) > 0 {
			t := &m.Topics[0]
			leaderless := func(p cluster.Partition) bool { return p.Leader < 0 || int(p.Index) >= len(t.Partitions) }
			if !slices.ContainsFunc(t.Partitions, leaderless) {
				return t, m.Brokers, nil
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("topic %s: %w", name, ctx.Err())
		}
	}
}

func newLink(
	ctx context.Context, control *cluster.Client, address string,
	s *bench.Settings, topic *cluster.Topic, partitions []int32,
) (*link, error) {
	opened, err := control.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	version, ok := opened.Versions.Pick(0, wire.MinProduceVersion, wire.MaxProduceVersion)
	if !ok {
		return nil, fmt.Errorf("%s speaks no version of Produce that package wire knows", address)
	}
	conn, err := opened.Detach()
	if err != nil {
		return nil, err
	}
	l := &link{
		conn: conn, version: version, acks: 1, topic: s.Topic, topicID: topic.ID,
		batchSize: s.BatchSize, limit: s.MaxInFlight, linger: s.Linger,
		sequences: make([]int32, len(partitions)), reader: bufio.NewReader(conn), place: map[int32]int{},
	}
	if s.Acks == "all" {
		l.acks = -1
	}
	if l.batchSize == 0 {
		l.batchSize = 16384
	}
	if l.limit == 0 {
		l.limit = 5
	}
	l.bound(s.BufferBytes, len(topic.Partitions))
	for i, p := range partitions {
		l.place[p] = i
	}
	l.filling = newGeneration(partitions, l.batchSize)
	// One more than may be in flight is being completed.
	for range l.limit + 1 {
		l.free = append(l.free, newGeneration(partitions, l.batchSize))
	}
	return l, nil
}

// bound keeps the requests within the client's memory: where a batch of every
// partition would not fit into it twice, batches are smaller, and where not for
// all requests in flight, these are fewer.
func (l *link) bound(memory int64, partitions int) {
	if memory == 0 {
		memory = 32 << 20
	}
	share := int(memory) / partitions
	l.batchSize = min(l.batchSize, max(share/2, 1024))
	l.limit = min(l.limit, max(share/l.batchSize-1, 1))
}
