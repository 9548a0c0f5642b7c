package kring_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestTopicBulk: records of a bulk topic never share a request with others, leave
// a place for what comes next, and get one request in eight while both wait.
func TestTopicBulk(t *testing.T) {
	b := caseBroker(t, broker.Config{Partitions: 2})
	p := caseProducer(t, b.Addrs(), kring.BatchSize(1), kring.MaxInFlight(2), kring.AdaptiveDepth(false),
		kring.TopicSettings("bulk", kring.TopicBulk()))
	for _, topic := range []string{"bulk", "other"} {
		for part := range int32(2) {
			if _, err := p.ProduceSync(patient(t), kring.Record{Topic: topic, Partition: kring.On(part)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var mu sync.Mutex
	var requests []string // who was in each
	begun, release := make(chan struct{}), make(chan struct{})
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		mu.Lock()
		defer mu.Unlock()
		if requests == nil {
			close(begun)
		}
		var in []string
		for _, q := range info.Partitions {
			in = append(in, q.Topic)
		}
		requests = append(requests, strings.Join(slices.Compact(in), "+"))
		return broker.Action{Stall: release}
	})
	send := func(topic string, n int) {
		for i := range n {
			if err := p.TryProduce(kring.Record{Topic: topic, Partition: kring.On(int32(i % 2))}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("bulk", 1)
	<-begun
	send("bulk", 60) // wait: the second place is not for them
	send("other", 60)
	close(release)
	if err := p.Flush(patient(t)); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(requests) < 3 || requests[0] != "bulk" || requests[1] != "other" {
		t.Fatalf("requests of %v, want bulk, other, …", requests)
	}
	last, between := 0, 0
	for i, topics := range requests {
		switch topics {
		case "other":
			last = i
		case "bulk":
		default:
			t.Errorf("request %d has %s", i, topics)
		}
	}
	for _, topics := range requests[1:last] {
		if topics == "bulk" {
			between++
		}
	}
	if most := last/8 + 1; between == 0 || between > most {
		t.Errorf("%d bulk requests among the first %d, want 1 to %d: %v", between, last, most, requests)
	}
	if d := b.Stats().Records; d != 125 {
		t.Errorf("the broker has %d records, want 125", d)
	}
}
