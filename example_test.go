package kring_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// startBroker starts a broker of three partitions in this process, so that the
// examples need none. A program has the addresses of its own.
func startBroker() (addrs []string, stop func()) {
	b, err := broker.Start(broker.Config{Partitions: 3})
	if err != nil {
		log.Fatal(err)
	}
	return b.Addrs(), func() {
		if err := b.Close(); err != nil {
			log.Fatal(err)
		}
	}
}

// A producer is made once, used by all goroutines, and closed at the end: Close
// sends what is left and waits for its outcome.
func ExampleNew() {
	addrs, stop := startBroker()
	defer stop()

	p, err := kring.New(
		kring.Brokers(addrs...),
		kring.ClientID("shop"),
		kring.Linger(2*time.Millisecond),
		kring.BufferMemory(64<<20),
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("close:", p.Close(context.Background()))

	_, err = kring.New(kring.Brokers("localhost"), kring.Linger(-time.Second))
	fmt.Println(err != nil)
	// Output:
	// close: <nil>
	// true
}

// Produce returns before the broker answers; the callback learns the outcome.
// The key decides the partition, as in the Java client.
func ExampleProducer_Produce() {
	addrs, stop := startBroker()
	defer stop()
	ctx, key, value := context.Background(), []byte("customer-17"), []byte(`{"total": 42}`)

	p, err := kring.New(kring.Brokers(addrs...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	err = p.Produce(ctx, kring.Record{Topic: "orders", Key: key, Value: value}, func(d kring.Delivery) {
		fmt.Println(d.Topic, d.Partition, d.Offset, d.Err) // d.Err says whether the record may be in the log
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: orders 1 0 <nil>
}

// ProduceSync sends one record without lingering and waits for its outcome. It
// is for single, important records; it costs a round trip each.
func ExampleProducer_ProduceSync() {
	addrs, stop := startBroker()
	defer stop()
	ctx := context.Background()
	p, err := kring.New(kring.Brokers(addrs...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	for _, total := range []string{"42", "43"} {
		d, err := p.ProduceSync(ctx, kring.Record{Topic: "orders", Partition: kring.On(2), Value: []byte(total)})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("partition %d, offset %d\n", d.Partition, d.Offset)
	}
	// Output:
	// partition 2, offset 0
	// partition 2, offset 1
}

// A configuration that was written for the Java client works here, or says what
// does not. Options that follow win over it.
func ExampleFromProperties() {
	addrs, stop := startBroker()
	defer stop()
	ctx := context.Background()

	java, err := kring.FromProperties(map[string]string{
		"linger.ms":  "10",
		"batch.size": "32768",
		"acks":       "all",
	})
	if err != nil {
		log.Fatal(err)
	}
	p, err := kring.New(java, kring.Brokers(addrs...))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("close:", p.Close(ctx))

	_, err = kring.FromProperties(map[string]string{"linger.msec": "10"})
	fmt.Println(err)
	// Output:
	// close: <nil>
	// kring: "linger.msec": Kafka's producer has no such property; did you mean linger.ms?
}

// A topic's handle skips the look-up by name. With one callback for all records
// and a tag in each, no record needs a closure; TryProduce never waits.
func ExampleProducer_Topic() {
	addrs, stop := startBroker()
	defer stop()
	ctx := context.Background()
	var sum uint64 // callbacks run one at a time
	p, err := kring.New(kring.Brokers(addrs...), kring.OnDelivery(func(d kring.Delivery) {
		if d.Err == nil {
			sum += d.Tag
		}
	}))
	if err != nil {
		log.Fatal(err)
	}

	orders := p.Topic("orders")
	for tag := range uint64(101) {
		r := kring.Record{Value: []byte("an order"), Tag: tag}
		if err := orders.TryProduce(r, nil); err != nil {
			// The topic is not known yet, or memory is full: here we can wait.
			if err := orders.Produce(ctx, r, nil); err != nil {
				log.Fatal(err)
			}
		}
	}
	if err := p.Close(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum)
	// Output: 5050
}
