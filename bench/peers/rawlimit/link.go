package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/wire"
)

// producerID is -1 without idempotence.
type producerID struct {
	id    int64
	epoch int16
}

// link is the connection to one broker.
type link struct {
	conn      net.Conn
	version   int16
	acks      int16
	topic     string
	topicID   [16]byte
	batchSize int
	limit     int // requests in flight
	linger    time.Duration
	producer  producerID
	sequences []int32 // by place in a generation
	done      bench.Done

	filling *generation
	free    []*generation
	out     []*generation // in flight, oldest first
	nextID  int32
	enc     wire.ProduceEncoder
	vector  net.Buffers
	written net.Buffers

	reader   *bufio.Reader
	frame    []byte
	response wire.ProduceResponse
	place    map[int32]int // of a partition in a generation; for answers
}

// full reports that no further request may be sent now.
func (l *link) full() bool { return len(l.out) == l.limit }

// add puts a record into the request that is being filled. now is read for the
// first record of a request only.
func (l *link) add(place int, r *bench.Record, now func() int64) bool {
	if l.filling.records == 0 {
		l.filling.base = now()
	}
	return l.filling.add(place, r.Key, r.Value, r.Tag)
}

// send writes what is filled as one request, and takes an empty generation.
func (l *link) send() error {
	g := l.filling
	filled := g.seal(l.producer, l.sequences)
	if filled == 0 {
		return nil
	}
	g.id = l.nextID
	l.nextID++
	e := &l.enc
	e.Begin(l.version, g.id, "rawlimit", l.acks, 30_000, 1)
	e.Topic(l.topic, l.topicID, filled)
	for i := range g.batches {
		if b := &g.batches[i]; len(b.tags) > 0 {
			e.Partition(b.partition, len(b.buf))
		}
	}
	e.EndTopic()
	e.Finish()
	v, from, cut := l.vector[:0], 0, 0
	for i := range g.batches {
		if b := &g.batches[i]; len(b.tags) > 0 {
			v = append(v, e.Buf[from:e.Cuts[cut]], b.buf)
			from = e.Cuts[cut]
			cut++
		}
	}
	l.vector = append(v, e.Buf[from:])
	l.out = append(l.out, g)
	last := len(l.free) - 1
	l.filling, l.free = l.free[last], l.free[:last]
	l.written = l.vector // WriteTo consumes its receiver.
	_, err := l.written.WriteTo(l.conn)
	return err
}

// receive reads one answer. The caller gives it the oldest request, and takes
// care of l.out and l.free.
func (l *link) receive() error {
	var size [4]byte
	if _, err := io.ReadFull(l.reader, size[:]); err != nil {
		return err
	}
	n := frameSize(size[:])
	if n < 4 || n > 1<<20 {
		return fmt.Errorf("an answer of %d bytes", n)
	}
	if cap(l.frame) < n {
		l.frame = make([]byte, n)
	}
	_, err := io.ReadFull(l.reader, l.frame[:n])
	l.frame = l.frame[:n]
	return err
}

// complete ends the records of the request that the last frame answers.
func (l *link) complete(g *generation) error {
	id, body, err := wire.ResponseHeader(l.frame, wire.Flexible(l.version))
	if err != nil {
		return err
	}
	if id != g.id {
		return fmt.Errorf("answer %d to request %d", id, g.id)
	}
	if err := l.response.Decode(l.version, body); err != nil {
		return err
	}
	for i := range l.response.Partitions {
		p := &l.response.Partitions[i]
		if p.ErrorCode != 0 {
			return fmt.Errorf("partition %d: error code %d", p.Partition, p.ErrorCode)
		}
		place, known := l.place[p.Partition]
		if !known {
			return errors.New("an answer for a partition that was not sent")
		}
		for k, tag := range g.batches[place].tags {
			l.done(tag, p.Partition, p.BaseOffset+int64(k), nil)
		}
	}
	g.reset()
	return nil
}
