//go:build kafka

package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/tests/kafka/txnbook"
)

// The environment of a producer process of TestTransactionsEndure: this
// program, started again.
const (
	childBootstrap = "KRING_ENDURE_BOOTSTRAP"
	childTopic     = "KRING_ENDURE_TOPIC"
	childID        = "KRING_ENDURE_ID"
	childRun       = "KRING_ENDURE_RUN" // no two processes of an id have the same

	endureRecords = 24 // of each transaction
)

// endureChild commits one transaction after the other until it is killed or the
// test is no more, and says what it does before it does it. It returns the exit
// code.
func endureChild() int {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the end of the test is the end of it
		os.Exit(4)
	}()
	if err := produceForEver(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 3
}

func produceForEver(ctx context.Context) error {
	id, topic := os.Getenv(childID), os.Getenv(childTopic)
	p, err := kring.New(kring.Brokers(strings.Split(os.Getenv(childBootstrap), ",")...), kring.TransactionalID(id), kring.Linger(0))
	if err != nil {
		return err
	}
	if err := patiently(ctx, p.InitTransactions); err != nil {
		return fmt.Errorf("init: %w", err)
	}
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s-%s-%d", id, os.Getenv(childRun), n)
		say(txnbook.Begin, name)
		if err := p.BeginTransaction(); err != nil {
			return fmt.Errorf("%s: begin: %w", name, err)
		}
		err := produceNamed(ctx, p, topic, name)
		abort := n%5 == 4
		if err == nil && !abort {
			say(txnbook.Try, name)
			err = patiently(ctx, p.CommitTransaction)
		}
		switch {
		case err == nil && !abort:
			say(txnbook.Committed, name)
			continue
		case err != nil && !errors.Is(err, kring.ErrTransactionAbortable):
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := patiently(ctx, p.AbortTransaction); err != nil {
			return fmt.Errorf("%s: abort: %w", name, err)
		}
		say(txnbook.Aborted, name)
	}
}

func say(word, name string) { fmt.Println(txnbook.Line(word, name)) }

// patiently asks until it is certain what has become of a transaction, for
// three minutes.
func patiently(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	err := ask(ctx)
	for errors.Is(err, kring.ErrTransactionUnknown) && ctx.Err() == nil {
		err = ask(ctx)
	}
	return err
}

// produceNamed accepts the records of a transaction, to every partition.
func produceNamed(ctx context.Context, p *kring.Producer, topic, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for i := range endureRecords {
		record := kring.Record{Topic: topic, Partition: kring.On(int32(i % txnPartitions)), Value: []byte(txnbook.Value(name, i))}
		if err := p.Produce(ctx, record, nil); err != nil {
			return err
		}
	}
	return nil
}
