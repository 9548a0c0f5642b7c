package kring_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring"
)

// audit adds a header to every record and counts what was lost.
type audit struct {
	region []byte
	lost   atomic.Int64
}

func (a *audit) OnSend(r kring.Record) kring.Record {
	// A new slice: the record's own belongs to the caller of Produce.
	r.Headers = append(append([]kring.Header(nil), r.Headers...), kring.Header{Key: "region", Value: a.region})
	return r
}

func (a *audit) OnAcknowledgement(d kring.Delivery) {
	if d.Err != nil {
		a.lost.Add(1)
	}
}

// An interceptor sees every record before its partition is chosen, and every
// outcome before its callback, also of records that Produce refuses.
func ExampleInterceptors() {
	addrs, stop := startBroker()
	defer stop()
	ctx := context.Background()
	a := &audit{region: []byte("eu-1")}
	p, err := kring.New(kring.Brokers(addrs...), kring.Interceptors(a))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	_, err = p.ProduceSync(ctx, kring.Record{Topic: "orders", Value: []byte("42")})
	fmt.Println(err, a.lost.Load())
	err = p.Produce(ctx, kring.Record{Topic: "no such/name"}, nil)
	fmt.Println(err != nil, a.lost.Load())
	// Output:
	// <nil> 0
	// true 1
}

// A partitioner decides for every record that does not name its partition. This
// one keeps partition 0 for the records of one customer.
func ExamplePartitionBy() {
	addrs, stop := startBroker() // with three partitions
	defer stop()
	ctx := context.Background()
	vip := kring.PartitionerFunc(func(r kring.Record, p kring.Partitions) int32 {
		if string(r.Key) == "vip" {
			return 0
		}
		return 1 + kring.NewPartitions(p.Count()-1).ByKey(r.Key)
	})
	p, err := kring.New(kring.Brokers(addrs...), kring.PartitionTopicBy("orders", vip))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	for _, key := range []string{"vip", "customer-17"} {
		d, err := p.ProduceSync(ctx, kring.Record{Topic: "orders", Key: []byte(key)})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(key, d.Partition)
	}
	// Output:
	// vip 0
	// customer-17 1
}

// Records of Go types: the serializers append to buffers that are used again.
func ExampleNewTyped() {
	addrs, stop := startBroker()
	defer stop()
	ctx := context.Background()
	p, err := kring.New(kring.Brokers(addrs...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	type order struct {
		Total int `json:"total"`
	}
	orders := kring.NewTyped(p, "orders", kring.Int64Serializer{}, kring.JSONSerializer[*order]{})
	type record = kring.TypedRecord[int64, *order]
	d, err := orders.ProduceSync(ctx, record{Key: 17, Value: &order{Total: 42}})
	fmt.Println(d.Offset, err)
	// A nil value deletes the key from a compacted topic.
	d, err = orders.ProduceSync(ctx, record{Key: 17})
	fmt.Println(d.Offset, err)
	// Output:
	// 0 <nil>
	// 1 <nil>
}

// Warmup waits for everything that the first record would wait for: call it
// before the service says that it is ready.
func ExampleProducer_Warmup() {
	addrs, stop := startBroker()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p, err := kring.New(kring.Brokers(addrs...))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)

	fmt.Println(p.Warmup(ctx, "orders", "payments"))
	fmt.Println(p.TryProduce(kring.Record{Topic: "orders"}, nil)) // nothing to wait for
	// Output:
	// <nil>
	// <nil>
}

// Explain answers why records are not sent.
func ExampleProducer_Explain() {
	addrs, stop := startBroker()
	defer stop()
	ctx := context.Background()
	p, err := kring.New(kring.Brokers(addrs...), kring.Linger(30*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(ctx)
	if err := p.Warmup(ctx, "orders"); err != nil {
		log.Fatal(err)
	}
	if err := p.Produce(ctx, kring.Record{Topic: "orders", Partition: kring.On(1)}, nil); err != nil {
		log.Fatal(err)
	}
	e, err := p.Explain("orders", 1)
	fmt.Println(e.Reason, e.Queued, err)
	// Output: lingering 1 <nil>
}

// Drain is Close for a service that has been told to stop and must not lose
// what the brokers do not take in time.
func ExampleProducer_Drain() {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	addrs, stop := startBroker()
	p, err := kring.New(kring.Brokers(addrs...), kring.Linger(time.Minute))
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Produce(context.Background(), kring.Record{Topic: "orders", Key: []byte("17"), Value: []byte("42")}, nil); err != nil {
		log.Fatal(err)
	}
	stop() // the cluster is gone

	left, err := p.Drain(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, u := range left { // to a file, say, and from there into another producer
		fmt.Printf("%s %s=%s, %v\n", u.Topic, u.Key, u.Value, u.Certainty)
	}
	// Output: orders 17=42, NotPersisted
}
