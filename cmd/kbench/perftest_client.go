package main

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench"
)

// perfClient stands between perf-test's one sender and kring for what a plan does
// not know: values that count, a summary without the first records, transactions,
// and kring's own numbers. A run that asks for none of these goes without it.
//
//	sender ─ Produce ─► Begin?, value, stamp ─► kring ─► Commit?
//	summary ◄─ steady ◄──────────── done ◄───────┘
type perfClient struct {
	bench.Client
	o        *perfOptions
	producer *kring.Producer

	open  bool      // a transaction is
	begun time.Time // then: when
	value []byte
	seq   int64 // of the next record; the sender's
	bytes int64 // of all values; the sender's
}

// perfOptions is what it is told, and what it finds out.
type perfOptions struct {
	monotonic   bool
	warmup      int64         // records
	transaction time.Duration // 0: none
	metrics     bool

	steady perfSteady
	client *perfClient // the one that was made
}

func (o *perfOptions) wanted() bool {
	return o.monotonic || o.warmup > 0 || o.transaction > 0 || o.metrics
}

// perfSteady are the numbers of the records from the warmup-th on.
type perfSteady struct {
	stamps []int64 // when the latest records were handed over, by sequence

	mu          sync.Mutex // callbacks may come on several lanes
	latency     *bench.Distribution
	sum         float64
	from, until time.Time
	bytes       int64
}

// maxOutstanding is how many records may be without an outcome for their times to
// be known: more than fit the default buffer.memory.
const maxOutstanding = 1 << 20

// library is lib with a perfClient around its client.
func (o *perfOptions) library(lib bench.Library) bench.Library {
	if !o.wanted() {
		return lib
	}
	newClient := lib.New
	lib.New = func(s bench.Settings, done bench.Done) (bench.Client, error) {
		inner, err := newClient(s, o.timed(done))
		if err != nil {
			return nil, err
		}
		c := &perfClient{Client: inner, o: o, producer: inner.(interface{ Producer() *kring.Producer }).Producer()}
		o.client = c
		if o.transaction > 0 {
			if err := c.producer.InitTransactions(context.Background()); err != nil {
				_ = inner.Close(context.Background()) // The first error is the one to tell.
				return nil, err
			}
		}
		return c, nil
	}
	return lib
}

// timed is done, with the latency of steady records noted.
func (o *perfOptions) timed(done bench.Done) bench.Done {
	if o.warmup == 0 {
		return done
	}
	s := &o.steady
	s.stamps, s.latency = make([]int64, maxOutstanding), bench.NewDistribution("steady", 1)
	return func(tag uint64, partition int32, offset int64, err error) {
		if seq := int64(bench.Sequence(tag)); seq >= o.warmup && err == nil {
			s.mu.Lock()
			s.until = time.Now()
			ns := s.until.UnixNano() - s.stamps[seq%maxOutstanding]
			s.latency.Record(ns)
			s.sum += float64(ns)
			s.mu.Unlock()
		}
		done(tag, partition, offset, err)
	}
}

// Produce is for the one sender.
func (c *perfClient) Produce(ctx context.Context, r *bench.Record) error {
	if c.o.transaction > 0 && !c.open {
		if err := c.producer.BeginTransaction(); err != nil {
			return err
		}
		c.open, c.begun = true, time.Now()
	}
	record := *r
	if c.o.monotonic {
		c.value = strconv.AppendInt(c.value[:0], c.seq, 10)
		record.Value = c.value
	}
	c.bytes += int64(len(record.Value))
	if s := &c.o.steady; c.o.warmup > 0 && c.seq >= c.o.warmup {
		s.mu.Lock()
		now := time.Now()
		if c.seq == c.o.warmup {
			s.from = now
		}
		s.stamps[c.seq%maxOutstanding] = now.UnixNano()
		s.bytes += int64(len(record.Value))
		s.mu.Unlock()
	}
	c.seq++
	if err := c.Client.Produce(ctx, &record); err != nil {
		return err
	}
	if c.open && time.Since(c.begun) >= c.o.transaction {
		return c.commit(ctx)
	}
	return nil
}

func (c *perfClient) commit(ctx context.Context) error {
	c.open = false
	if err := c.producer.CommitTransaction(ctx); err != nil {
		return fmt.Errorf("the transaction was not committed: %w", err)
	}
	return nil
}

// Flush commits what is open: the run has ended.
func (c *perfClient) Flush(ctx context.Context) error {
	if c.open {
		return c.commit(ctx)
	}
	return c.Client.Flush(ctx)
}

// writeSteady prints the summary line of the steady records.
func (o *perfOptions) writeSteady(w io.Writer) error {
	s := &o.steady
	l := s.latency.Latency()
	if l == nil {
		return fmt.Errorf("none of the records after the %d of --warmup-records was acknowledged", o.warmup)
	}
	return writeLine(w, " steady state", int64(s.latency.Count()), s.bytes, s.until.Sub(s.from), s.sum/float64(s.latency.Count()), l.Max, s.latency)
}

// writeMetrics prints the numbers of Stats as Kafka's tool prints Java's metrics.
func (o *perfOptions) writeMetrics(w io.Writer, clientID string) error {
	const column = 60
	if _, err := fmt.Fprintf(w, "\n%-*s   %s\n", column, "Metric Name", "Value"); err != nil {
		return err
	}
	stats := reflect.ValueOf(o.client.producer.Stats())
	for i := range stats.NumField() {
		var n float64
		switch f := stats.Field(i); {
		case f.CanInt():
			n = float64(f.Int())
		case f.CanUint():
			n = float64(f.Uint())
		default:
			continue
		}
		name := "producer-metrics:" + dashed(stats.Type().Field(i).Name) + ":{client-id=" + clientID + "}"
		if _, err := fmt.Fprintf(w, "%-*s : %.3f\n", column, name, n); err != nil {
			return err
		}
	}
	return nil
}

// dashed is a Go name in the manner of Java's metrics.
func dashed(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
