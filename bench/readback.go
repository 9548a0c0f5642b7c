package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/kring-go/kring/internal/expand"
	"github.com/kring-go/kring/wire"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// reader reads a topic back with Fetch, from the offsets at which the run began
// to those at which it ended. It is no consumer: it reads everything once, in
// order, uncommitted and uncompressed.
type reader struct {
	access  *Access
	topic   string
	from    []int64 // moves; a partition's is its reader's
	to      []int64
	record  func(partition int32, offset int64, value []byte)
	endless bool // to is never reached, and nothing may come for long
	// skipped counts offsets that were gone before they could be read.
	mu      sync.Mutex
	skipped int64
}

const (
	fetchBytes          = 8 << 20
	fetchPartitionBytes = 1 << 20
	fetchWaitMs         = 500
	// fetchPatience is how long a partition may stay where it is.
	fetchPatience = 30 * time.Second
)

// read reads every partition to its end. When a leader moves or a connection
// breaks, it finds the leaders again and goes on where it was.
func (r *reader) read(ctx context.Context) error {
	for give := time.Now().Add(fetchPatience); ; {
		before := sum(r.from)
		err := r.pass(ctx)
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		if sum(r.from) > before {
			give = time.Now().Add(fetchPatience)
		} else if time.Now().After(give) {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// passing reports whether an error is the cluster's, and may end.
func passing(err error) bool {
	var code brokerError
	if errors.As(err, &code) {
		return code.passes()
	}
	var network net.Error
	var gone unreachable
	return errors.As(err, &network) || errors.As(err, &gone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// pass reads what every partition's present leader has; the partitions of one
// broker share a goroutine and a connection.
func (r *reader) pass(ctx context.Context) error {
	k, err := r.access.dial(ctx)
	if err != nil {
		return err
	}
	view, err := k.describe(ctx, r.topic)
	k.close()
	if err != nil {
		return err
	}
	if len(view.leaders) != len(r.to) {
		return fmt.Errorf("read-back: topic %s has %d partitions, not %d any more", r.topic, len(view.leaders), len(r.to))
	}
	if !view.ready() {
		return fmt.Errorf("read-back: %w", brokerError(codeLeaderMissing))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group sync.WaitGroup
	for node, partitions := range view.byLeader() {
		group.Go(func() {
			if err := r.readFrom(ctx, view.brokers[node], partitions); err != nil {
				cancel(err)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// readFrom reads the partitions that one broker leads.
func (r *reader) readFrom(ctx context.Context, address string, partitions []int32) error {
	k, err := r.access.dialAny(ctx, address)
	if err != nil {
		return err
	}
	defer k.close()
	next := make(map[int32]int64, len(partitions))
	for _, p := range partitions {
		if r.from[p] < r.to[p] {
			next[p] = r.from[p]
		}
	}
	moved := time.Now()
	for len(next) > 0 {
		progress, err := r.fetch(ctx, k, partitions, next)
		if err != nil {
			return err
		}
		if progress {
			moved = time.Now()
		} else if !r.endless && time.Since(moved) > fetchPatience {
			return fmt.Errorf("read-back: broker %s sends no more records of %d partitions", address, len(next))
		}
	}
	return nil
}

// fetch is one request. next loses the partitions that are finished.
func (r *reader) fetch(ctx context.Context, k *kafkaConn, partitions []int32, next map[int32]int64) (progress bool, err error) {
	req := kmsg.NewPtrFetchRequest()
	req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = -1, fetchWaitMs, 1, fetchBytes
	req.SessionEpoch = -1 // No fetch session.
	t := kmsg.NewFetchRequestTopic()
	t.Topic = r.topic
	for _, p := range partitions {
		offset, open := next[p]
		if !open {
			continue
		}
		fp := kmsg.NewFetchRequestTopicPartition()
		fp.Partition, fp.FetchOffset, fp.PartitionMaxBytes = p, offset, fetchPartitionBytes
		t.Partitions = append(t.Partitions, fp)
	}
	req.Topics = append(req.Topics, t)
	const newestByName = 12 // From 13 on, topics are ids.
	raw, err := k.request(ctx, req, newestByName)
	if err != nil {
		return false, err
	}
	resp := raw.(*kmsg.FetchResponse)
	if resp.ErrorCode != codeNone {
		return false, fmt.Errorf("read-back: %w", brokerError(resp.ErrorCode))
	}
	for _, t := range resp.Topics {
		for i := range t.Partitions {
			p := &t.Partitions[i]
			before, open := next[p.Partition]
			if !open {
				continue
			}
			after, err := r.partition(p, before)
			if r.from[p.Partition] = after; err != nil {
				return false, fmt.Errorf("read-back: %s-%d at offset %d: %w", r.topic, p.Partition, before, err)
			}
			progress = progress || after > before
			next[p.Partition] = after
			if after >= r.to[p.Partition] {
				delete(next, p.Partition)
			}
		}
	}
	return progress, nil
}

// partition takes the batches of one partition's answer, and returns the offset
// to go on from.
func (r *reader) partition(p *kmsg.FetchResponseTopicPartition, next int64) (int64, error) {
	if p.ErrorCode == codeOffsetOutOfRange && p.LogStartOffset > next {
		r.skip(min(p.LogStartOffset, r.to[p.Partition]) - next)
		return p.LogStartOffset, nil
	}
	if p.ErrorCode != codeNone {
		return next, brokerError(p.ErrorCode)
	}
	b := p.RecordBatches
	for len(b) > wire.BatchHeaderSize {
		h, recordBytes, err := wire.ReadBatchHeader(b)
		if err != nil {
			return next, err
		}
		if recordBytes > len(b)-wire.BatchHeaderSize {
			break // The answer was cut; the rest comes with the next one.
		}
		base := int64(binary.BigEndian.Uint64(b))
		records := b[wire.BatchHeaderSize : wire.BatchHeaderSize+recordBytes]
		b = b[wire.BatchHeaderSize+recordBytes:]
		if last := base + int64(h.LastOffsetDelta); last < next {
			continue
		}
		if base > next {
			r.skip(min(base, r.to[p.Partition]) - next)
		}
		if err := r.batch(p.Partition, &h, base, next, records); err != nil {
			return next, err
		}
		next = base + int64(h.LastOffsetDelta) + 1
	}
	return next, nil
}

const (
	attributeCodec   = 0x07
	attributeControl = 0x20
)

func (r *reader) batch(partition int32, h *wire.BatchHeader, base, from int64, records []byte) error {
	if h.Attributes&attributeControl != 0 {
		return nil
	}
	if codec := h.Attributes & attributeCodec; codec != 0 {
		plain, err := expand.Expand(int8(codec), records)
		if err != nil {
			return err
		}
		records = plain
	}
	for range h.RecordCount {
		record, rest, err := wire.NextRecord(records)
		if err != nil {
			return err
		}
		records = rest
		if offset := base + int64(record.OffsetDelta); offset >= from && offset < r.to[partition] {
			r.record(partition, offset, record.Value)
		}
	}
	if len(records) > 0 {
		return fmt.Errorf("%d bytes behind the last record", len(records))
	}
	return nil
}

// skip notes offsets that hold nothing: removed by retention, or never used.
func (r *reader) skip(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped += n
}
