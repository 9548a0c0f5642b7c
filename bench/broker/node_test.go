package broker

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestStartRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"taken port", Config{Addr: taken.Addr().String()}, "the port is taken"},
		{"no port", Config{Addr: "localhost"}, "not host:port"},
		{"port out of range", Config{Addr: "127.0.0.1:70000"}, "no usable port"},
		{"ports beyond the range", Config{Addr: "127.0.0.1:65535", Brokers: 2}, "no usable port for 2 brokers"},
		{"unknown host", Config{Addr: "256.1.1.1:0"}, "cannot listen"},
		{"brokers", Config{Brokers: -1}, "Brokers is -1"},
		{"partitions", Config{Partitions: -1}, "Partitions is -1"},
		{"verify", Config{Verify: 9}, "Verify is Verify(9)"},
		{"keep", Config{Keep: -1}, "Keep is -1"},
		{"delay", Config{Delay: -1}, "Delay is"},
		{"version", Config{MaxProduceVersion: 14}, "MaxProduceVersion is 14"},
		{"batch", Config{MaxBatchBytes: 1}, "MaxBatchBytes is 1"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b, err := Start(tc.cfg)
			if err == nil {
				b.Close()
				t.Fatal("Start took it")
			}
			if msg := err.Error(); !strings.HasPrefix(msg, "kring: broker: ") || !strings.Contains(msg, tc.want) || strings.Contains(msg, "\n") {
				t.Errorf("the error is %q, want one line with %q", msg, tc.want)
			}
		})
	}
	if _, err := Start(Config{Addr: taken.Addr().String()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the error %v is not EADDRINUSE", err)
	}
}

func TestStopAndStartNode(t *testing.T) {
	b := startTest(t, Config{Brokers: 2, Partitions: 2})
	c := dial(t, b, 2)
	c.roundTrip(metadataFor(9, "t"))
	before := b.Addrs()[1]
	if err := b.StopNode(2); err != nil {
		t.Fatal(err)
	}
	c.closed()
	if nc, err := net.Dial("tcp", before); err == nil {
		nc.Close()
		t.Error("a stopped node accepts connections")
	}
	resp := dial(t, b, 1).roundTrip(metadataFor(9, "t")).(*kmsg.MetadataResponse)
	if len(resp.Brokers) != 2 || resp.Topics[0].Partitions[1].Leader != 2 {
		t.Errorf("nobody has noticed yet, but metadata says %+v", resp)
	}

	if err := b.FailOver(2); err != nil {
		t.Fatal(err)
	}
	resp = dial(t, b, 1).roundTrip(metadataFor(9, "t")).(*kmsg.MetadataResponse)
	if p := resp.Topics[0].Partitions[1]; len(resp.Brokers) != 1 || p.Leader != 1 || p.LeaderEpoch != 1 {
		t.Errorf("after the failover metadata says %+v", resp)
	}

	if err := b.StartNode(2); err != nil {
		t.Fatal(err)
	}
	if err := b.StartNode(2); err == nil {
		t.Error("a running node was started")
	}
	if got := b.Addrs()[1]; got != before {
		t.Errorf("the node came back at %s, want %s", got, before)
	}
	if err := b.SetLeader("t", 1, 2); err != nil {
		t.Fatal(err)
	}
	resp = dial(t, b, 2).roundTrip(metadataFor(9, "t")).(*kmsg.MetadataResponse)
	if p := resp.Topics[0].Partitions[1]; len(resp.Brokers) != 2 || p.Leader != 2 || p.LeaderEpoch != 2 {
		t.Errorf("after the restart metadata says %+v", resp)
	}
}

func TestFailOverOfEveryNode(t *testing.T) {
	b := startTest(t, Config{Brokers: 2})
	createTopic(t, b, "t", 2)
	for _, id := range []int32{1, 2} {
		if err := b.FailOver(id); err != nil {
			t.Fatal(err)
		}
	}
	resp := dial(t, b, 1).roundTrip(metadataFor(9, "t")).(*kmsg.MetadataResponse)
	for _, p := range resp.Topics[0].Partitions {
		if p.Leader != -1 || p.ErrorCode != errLeaderNotAvailable {
			t.Errorf("partition %d is led by %d, code %d", p.Partition, p.Leader, p.ErrorCode)
		}
	}
}

func TestUnknownNamesAreErrors(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "t", 1)
	for name, err := range map[string]error{
		"StopNode":            b.StopNode(2),
		"StartNode":           b.StartNode(0),
		"FailOver":            b.FailOver(-1),
		"SetLeader node":      b.SetLeader("t", 0, 2),
		"SetLeader partition": b.SetLeader("t", 1, 1),
		"SetLeader topic":     b.SetLeader("u", 0, 1),
		"CreateTopic again":   b.CreateTopic("t", 1),
		"CreateTopic name":    b.CreateTopic("a b", 1),
		"CreateTopic size":    b.CreateTopic("v", 0),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "kring: broker: ") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestCloseEndsEverything(t *testing.T) {
	b := startTest(t, Config{Brokers: 3, Delay: time.Hour})
	for node := range int32(3) {
		c := dial(t, b, node+1)
		c.send(metadataFor(9, "t")) // its answer is an hour away
	}
	eventually(t, "every request", func() bool { return b.Stats().Metadata == 3 })
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	if err := b.StartNode(1); err == nil {
		t.Error("a node of a closed broker was started")
	}
	if got := b.Stats().OpenConnections; got != 0 {
		t.Errorf("%d connections are open", got)
	}
}

func TestCloseEndsServiceTime(t *testing.T) {
	b := startTest(t, Config{Service: time.Hour})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	c.send(produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()}))
	eventually(t, "the append", func() bool { return b.Stats().Batches == 1 })
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	c.closed()
}

// TestSlowBrokers shows the difference between a distance and work: the answers
// of pipelined requests come together, or one after another.
func TestSlowBrokers(t *testing.T) {
	const slow, requests = 50 * time.Millisecond, 4
	tests := []struct {
		name  string
		cfg   Config
		least time.Duration
	}{
		{"delay", Config{Delay: slow}, slow},
		{"service", Config{Service: slow}, requests * slow},
		{"both", Config{Delay: slow, Service: slow}, requests * slow},
	}
	took := map[string]time.Duration{}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := startTest(t, tc.cfg)
			createTopic(t, b, "t", 1)
			c := dial(t, b, 1)
			req := produceTo(b, 13, "t", map[int32][]byte{0: batchOf{count: 1}.bytes()})
			start := time.Now()
			first := c.sent
			for range requests {
				c.send(req)
			}
			for i := range int32(requests) {
				resp := c.receive(req, first+i).(*kmsg.ProduceResponse)
				if got := resp.Topics[0].Partitions[0].BaseOffset; got != int64(i) {
					t.Errorf("answer %d has offset %d", i, got)
				}
			}
			took[tc.name] = time.Since(start)
			if took[tc.name] < tc.least {
				t.Errorf("%d answers took %v, want at least %v", requests, took[tc.name], tc.least)
			}
		})
	}
	if took["delay"] >= took["service"] {
		t.Errorf("pipelined requests took %v with a delay and %v with service time", took["delay"], took["service"])
	}
}
