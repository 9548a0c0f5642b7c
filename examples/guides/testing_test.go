package guides

import (
	"context"
	"errors"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

// sender is what this service needs of a producer.
type sender interface {
	TryProduce(r kring.Record, cb kring.Callback) error
	Close(ctx context.Context) error
}

// emit is the service of testing.md.
func emit(s sender, body []byte, lost func(error)) error {
	return s.TryProduce(kring.Record{Topic: "orders", Value: body}, func(d kring.Delivery) {
		if d.Err != nil {
			lost(d.Err)
		}
	})
}

func TestLostRecord(t *testing.T) {
	r := kringtest.NewRecorder(t)
	r.Next(kringtest.Delivered(), kringtest.Failed(kring.ErrDeliveryTimeout, kring.PossiblyPersisted))
	var lost []error
	for range 2 {
		if err := emit(r, []byte("x"), func(err error) { lost = append(lost, err) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(t.Context()); err != nil { // waits for the callbacks
		t.Fatal(err)
	}
	if len(lost) != 1 || !errors.Is(lost[0], kring.ErrDeliveryTimeout) {
		t.Errorf("lost %v, want one timeout", lost)
	}
}

func TestBackPressure(t *testing.T) {
	r := kringtest.NewRecorder(t, kringtest.Capacity(1))
	r.Hold() // outcomes stay away until Release
	if err := emit(r, []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	if err := emit(r, []byte("y"), nil); !errors.Is(err, kring.ErrBufferFull) {
		t.Errorf("error %v, want ErrBufferFull", err)
	}
}

func TestLeaderMoves(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Nodes(3), kringtest.Topic("orders", 6))
	p := c.NewProducer() // short pauses; closed when the test ends
	script := c.OnProduce(
		kringtest.Fail(kring.NotLeaderOrFollower).For("orders", 2).Times(2),
		kringtest.DropAnswer().For("orders", 2).Times(1),
	)
	if _, err := p.ProduceSync(t.Context(), kring.Record{Topic: "orders", Partition: kring.On(2)}); err != nil {
		t.Fatal(err)
	}
	if n := len(c.Records("orders", 2)); n != 1 || script.Met() != 3 {
		t.Errorf("%d records after %d faults, want 1 after 3", n, script.Met())
	}
}

func TestBrokerDies(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Nodes(2), kringtest.Topic("orders", 2))
	p := c.NewProducer()
	c.Kill(1)
	for i := range int32(2) {
		if _, err := p.ProduceSync(t.Context(), kring.Record{Topic: "orders", Partition: kring.On(i)}); err != nil {
			t.Errorf("partition %d: %v", i, err)
		}
	}
	c.Restart(1)
}

func TestWhileTheBrokerStalls(t *testing.T) {
	c := kringtest.NewCluster(t)
	p := c.NewProducer()
	release := make(chan struct{})
	script := c.OnProduce(kringtest.Stall(release).Times(1))
	done := make(chan error, 1)
	if err := p.Produce(t.Context(), kring.Record{Topic: "orders"}, func(d kring.Delivery) { done <- d.Err }); err != nil {
		t.Fatal(err)
	}
	<-script.Wait(1) // the request is at the broker now
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
