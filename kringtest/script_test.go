package kringtest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

// TestFaults produces one record against one fault each.
func TestFaults(t *testing.T) {
	noLeaks(t)
	for _, tc := range []struct {
		name    string
		fault   kringtest.Fault
		opts    []kring.Option
		wantErr error // nil: delivered
		certain kring.Certainty
		stored  int // records in the log at the end
		met     int
	}{
		{
			name: "retriable code twice", fault: kringtest.Fail(kring.NotLeaderOrFollower).Times(2),
			stored: 1, met: 2,
		},
		{
			name: "fatal code", fault: kringtest.Fail(kring.TopicAuthorizationFailed).Times(1),
			wantErr: kring.TopicAuthorizationFailed, certain: kring.NotPersisted, met: 1,
		},
		{
			name: "stored, and told otherwise", fault: kringtest.FailStored(kring.NotEnoughReplicasAfterAppend).Times(1),
			stored: 1, met: 1,
		},
		{
			name: "stored, and told otherwise for good", fault: kringtest.FailStored(kring.NotEnoughReplicasAfterAppend),
			opts:    []kring.Option{kring.Retries(0)},
			wantErr: kring.ErrRetriesExhausted, certain: kring.PossiblyPersisted, stored: 1, met: 1,
		},
		{name: "delay", fault: kringtest.Delay(20 * time.Millisecond).Times(1), stored: 1, met: 1},
		{name: "throttle", fault: kringtest.Throttle(20 * time.Millisecond).Times(1), stored: 1, met: 1},
		{name: "disconnect", fault: kringtest.Disconnect().Times(2), stored: 1, met: 2},
		{name: "lost answer", fault: kringtest.DropAnswer().Times(2), stored: 1, met: 2},
		{
			name: "lost answer for good", fault: kringtest.DropAnswer(),
			opts:    []kring.Option{kring.Retries(0)},
			wantErr: kring.ErrRetriesExhausted, certain: kring.PossiblyPersisted, stored: 1, met: 1,
		},
		{name: "another topic", fault: kringtest.Disconnect().For("invoices"), stored: 1},
		{name: "another partition", fault: kringtest.Disconnect().For("orders", 0, 2), stored: 1},
		{name: "this partition", fault: kringtest.Disconnect().For("orders", 0, 1).Times(1), stored: 1, met: 1},
		{name: "another node", fault: kringtest.Disconnect().At(2), stored: 1},
		{name: "this node", fault: kringtest.Disconnect().At(1).Times(1), stored: 1, met: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := kringtest.NewCluster(t, kringtest.Nodes(2), kringtest.Topic("orders", 3))
			c.MoveLeader("orders", 1, 1)
			p := c.NewProducer(tc.opts...)
			s := c.OnProduce(tc.fault)
			_, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders", Partition: kring.On(1), Value: []byte("x")})
			if !errors.Is(err, tc.wantErr) {
				t.Errorf("error %v, want %v", err, tc.wantErr)
			}
			var pe *kring.ProduceError
			if tc.wantErr != nil && (!errors.As(err, &pe) || pe.Certainty != tc.certain) {
				t.Errorf("error %v, want a ProduceError with %v", err, tc.certain)
			}
			if n := len(c.Records("orders", 1)); n != tc.stored {
				t.Errorf("%d records are stored, want %d", n, tc.stored)
			}
			if n := s.Met(); n != tc.met {
				t.Errorf("the fault was met %d times, want %d", n, tc.met)
			}
		})
	}
}

// TestFailConcernsItsPartitions: of one request, only the named partition's
// batch fails; scripts for others add to it.
func TestFailConcernsItsPartitions(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t, kringtest.Topic("orders", 3))
	p := c.NewProducer(kring.Linger(time.Hour), kring.DeliveryTimeout(2*time.Hour))
	one := c.OnProduce(kringtest.Fail(kring.InvalidTimestamp).For("orders", 1).Times(1))
	two := c.OnProduce(kringtest.Fail(kring.PolicyViolation).For("orders", 2).Times(1))
	errs := make([]error, 3)
	for i := range int32(3) {
		if err := p.Produce(soon(t), kring.Record{Topic: "orders", Partition: kring.On(i)}, func(d kring.Delivery) { errs[i] = d.Err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(soon(t)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, kring.InvalidTimestamp, kring.PolicyViolation} {
		if !errors.Is(errs[i], want) || (want == nil) != (errs[i] == nil) {
			t.Errorf("partition %d: %v, want %v", i, errs[i], want)
		}
	}
	if one.Met() != 1 || two.Met() != 1 {
		t.Errorf("met %d and %d times, want once each", one.Met(), two.Met())
	}
}

// TestSequence: the faults of a script come one after the other.
func TestSequence(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t)
	p := c.NewProducer()
	s := c.OnProduce(
		kringtest.Fail(kring.NotEnoughReplicas).Times(1),
		kringtest.Disconnect().Times(1),
		kringtest.Fail(kring.InvalidTimestamp).Times(1),
	)
	_, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders"})
	var pe *kring.ProduceError
	if !errors.As(err, &pe) || !errors.Is(err, kring.InvalidTimestamp) || pe.Attempts != 3 {
		t.Errorf("error %v, want INVALID_TIMESTAMP after 3 attempts", err)
	}
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders"}); err != nil {
		t.Errorf("after the script: %v", err)
	}
	if s.Met() != 3 {
		t.Errorf("met %d times, want 3", s.Met())
	}
}

// TestExclusiveFaults: a request that has lost its connection to one script
// leaves the other's fault for the next.
func TestExclusiveFaults(t *testing.T) {
	noLeaks(t)
	c := kringtest.NewCluster(t)
	p := c.NewProducer()
	a := c.OnProduce(kringtest.Disconnect().Times(1))
	b := c.OnProduce(kringtest.DropAnswer().Times(1))
	// The first request ends before it is answered, so these wait as well.
	x := c.OnProduce(kringtest.Fail(kring.NotEnoughReplicas).Times(1))
	y := c.OnProduce(kringtest.FailStored(kring.RequestTimedOut).Times(1))
	if _, err := p.ProduceSync(soon(t), kring.Record{Topic: "orders"}); err != nil {
		t.Error(err)
	}
	for i, s := range []*kringtest.Script{a, b, x, y} {
		if s.Met() != 1 {
			t.Errorf("script %d was met %d times, want once", i, s.Met())
		}
	}
	if n := len(c.Records("orders", 0)); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
}

func TestStall(t *testing.T) {
	noLeaks(t)
	for _, how := range []string{"release", "lift"} {
		t.Run(how, func(t *testing.T) {
			c := kringtest.NewCluster(t)
			p := c.NewProducer()
			release := make(chan struct{})
			s := c.OnProduce(kringtest.Stall(release).Times(1))
			done := make(chan error, 1)
			if err := p.Produce(soon(t), kring.Record{Topic: "orders"}, func(d kring.Delivery) { done <- d.Err }); err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.Wait(1):
			case <-soon(t).Done():
				t.Fatal("the request did not arrive")
			}
			if n := len(c.Records("orders", 0)); n != 0 {
				t.Errorf("%d records are stored while the request stalls", n)
			}
			select {
			case err := <-done:
				t.Fatalf("delivered while the request stalls: %v", err)
			default:
			}
			if how == "release" {
				close(release)
			} else {
				s.Lift()
				s.Lift()
			}
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
			case <-soon(t).Done():
				t.Fatal("the request still stalls")
			}
			select {
			case <-s.Wait(1):
			default:
				t.Error("Wait for what has happened already waits")
			}
		})
	}
}

// TestEndLiftsEverything: a test may end while a request stalls for ever.
func TestEndLiftsEverything(t *testing.T) {
	noLeaks(t)
	tb := &spy{TB: t}
	c := kringtest.NewCluster(tb)
	p := c.NewProducer()
	s := c.OnProduce(kringtest.Stall(nil))
	done := make(chan error, 1)
	if err := p.Produce(soon(t), kring.Record{Topic: "orders"}, func(d kring.Delivery) { done <- d.Err }); err != nil {
		t.Fatal(err)
	}
	<-s.Wait(1)
	tb.end()
	if err := <-done; err != nil {
		t.Errorf("the record that stalled: %v", err)
	}
	if len(tb.failures) != 0 {
		t.Errorf("the end of the test failed: %q", tb.failures)
	}
}
