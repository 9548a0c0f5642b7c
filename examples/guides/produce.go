package guides

import (
	"context"
	"errors"
	"log"
	"time"

	"github.com/kring-go/kring"
)

// throughput is tuning.md's producer for many records.
func throughput(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.BatchSize(128<<10),
		kring.Linger(10*time.Millisecond),
		kring.BufferMemory(128<<20),
	)
}

// compressed is tuning.md's producer with compression.
func compressed(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.Compression(kring.LZ4), // or Zstd: smaller, and slower
	)
}

// drained is explain.md's end of a service that keeps what was not delivered.
func drained(ctx context.Context, p *kring.Producer, spill func(kring.Undelivered)) error {
	left, err := p.Drain(ctx)
	for _, u := range left {
		spill(u) // u.Record can be produced again as it is
	}
	return err
}

// latency is tuning.md's producer for few records that are in a hurry.
func latency(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.Linger(0),
		kring.InlineDelivery(), // if callbacks return at once
	)
}

// handle is tuning.md's hot loop: no look-up, no closure, no waiting.
func handle(ctx context.Context, p *kring.Producer, events <-chan []byte) error {
	orders := p.Topic("orders")
	var number uint64
	for body := range events {
		number++
		r := kring.Record{Value: body, Tag: number}
		err := orders.TryProduce(r, nil) // the outcome goes to OnDelivery
		if errors.Is(err, kring.ErrBufferFull) || errors.Is(err, kring.ErrMetadataPending) {
			err = orders.Produce(ctx, r, nil) // here waiting is back-pressure
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// onDelivery is delivery-semantics.md's decision about a failed record.
func onDelivery(again func(tag uint64), unknown func(tag uint64, err error)) kring.Callback {
	return func(d kring.Delivery) {
		var pe *kring.ProduceError
		switch {
		case d.Err == nil:
			// In the log, at d.Partition and d.Offset.
		case errors.As(d.Err, &pe) && pe.Certainty == kring.NotPersisted:
			again(d.Tag) // can not become a duplicate
		default:
			unknown(d.Tag, d.Err) // may be in the log: only you know what a duplicate costs
		}
	}
}

// shutdown is delivery-semantics.md's end of a program.
func shutdown(p *kring.Producer) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		log.Printf("some records have no outcome but ErrClosed: %v", err)
	}
}

// inspect is troubleshooting.md's look into an error.
func inspect(err error) {
	var pe *kring.ProduceError
	if errors.As(err, &pe) {
		log.Printf("topic=%s partition=%d broker=%d code=%d attempts=%d certainty=%v: %v",
			pe.Topic, pe.Partition, pe.Broker, pe.Code, pe.Attempts, pe.Certainty, pe.Err)
	}
	if errors.Is(err, kring.TopicAuthorizationFailed) {
		log.Print("this client may not write to the topic: ask for the ACL")
	}
}

// event is what a service encodes.
type event struct{ ID, Body []byte }

func (e event) Size() int                { return len(e.Body) }
func (e event) MarshalTo(dst []byte) int { return copy(dst, e.Body) }

// written is tuning.md's goroutine that is always busy.
func written(ctx context.Context, p *kring.Producer, events <-chan event) error {
	w := p.Topic("orders").NewWriter() // one per goroutine
	defer w.Close()
	for e := range events {
		x, err := w.Reserve(ctx, kring.Record{Key: e.ID}, e.Size())
		if err != nil {
			return err
		}
		if err := x.Commit(e.MarshalTo(x.Value()), nil); err != nil {
			return err
		}
	}
	return nil
}

// grouped is tuning.md's producer of groups of records.
func grouped(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.ManualFlush(), // nothing leaves but by Flush, in requests as full as can be
	)
}

// different is tuning.md's producer of topics that differ.
func different(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.TopicSettings("orders", kring.TopicLinger(0)),
		kring.TopicSettings("clicks", kring.TopicBulk(), kring.TopicLinger(50*time.Millisecond),
			kring.TopicCompression(kring.Zstd), kring.TopicMemory(8<<20)),
		kring.BrokerMemory(16<<20),
	)
}
