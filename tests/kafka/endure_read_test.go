//go:build kafka

package kafka_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/tests/kafka/txnbook"
)

// endureEnd marks the end of each partition.
const endureEnd = "end"

// settleOpen ends what the killed producers have left open, as the next owner
// of each id would: until then readers of committed records wait.
func (e *endurance) settleOpen(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, p := range e.producers {
		heir, err := kring.New(kring.Brokers(e.bootstrap...), kring.TransactionalID(p.id))
		if err != nil {
			t.Fatal(err)
		}
		if err := patiently(ctx, heir.InitTransactions); err != nil {
			t.Fatal(err)
		}
		if err := heir.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(e.bootstrap...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i := range int32(txnPartitions) {
		if err := client.ProduceSync(ctx, &kgo.Record{Topic: e.topic, Partition: i, Value: []byte(endureEnd)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// follow reads committed records from the first to the end of every partition.
// The function that it returns waits for that.
func (e *endurance) follow(t *testing.T, book *txnbook.Book) (wait func() error) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(e.bootstrap...), kgo.ConsumeTopics(e.topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- readToEnd(ctx, client, book) }()
	return func() error {
		defer client.Close()
		defer cancel()
		select {
		case err := <-result:
			return err
		case <-time.After(3 * time.Minute):
			return fmt.Errorf("a reader has not come to the end in three minutes")
		}
	}
}

// readToEnd hands the values to the book. Errors of fetching pass while a broker
// is away; a reader that does not recover does not come to the end.
func readToEnd(ctx context.Context, client *kgo.Client, book *txnbook.Book) error {
	next := map[int32]int64{}
	for ends := 0; ends < txnPartitions; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("the reader was stopped at %d of %d ends: %v", ends, txnPartitions, fetches.Err())
		}
		for _, r := range fetches.Records() {
			if r.Offset < next[r.Partition] {
				return fmt.Errorf("partition %d: offset %d was read after %d", r.Partition, r.Offset, next[r.Partition]-1)
			}
			next[r.Partition] = r.Offset + 1
			if string(r.Value) == endureEnd {
				ends++
			} else if err := book.Read(string(r.Value)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readAgain reads the whole topic once more, with a reader that knows nothing.
func (e *endurance) readAgain(t *testing.T) {
	t.Helper()
	book := txnbook.New(endureRecords)
	for _, line := range e.lines {
		if err := book.Note(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.follow(t, book)(); err != nil {
		t.Fatal(err)
	}
	sum, err := book.Verdict()
	t.Logf("the reader of the end: %v", sum)
	if err != nil {
		t.Error(err)
	}
	if sum.Committed == 0 || sum.Aborted == 0 {
		t.Errorf("%v: want some of each", sum)
	}
}
