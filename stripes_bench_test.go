package kring_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// farLink is a way to the brokers that takes half of rtt in each direction, with
// at most window bytes of a connection unacknowledged on it, as TCP has it.
type farLink struct {
	rtt    time.Duration
	window int
	all    sync.WaitGroup
}

func (l *farLink) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	var d net.Dialer
	near, err := d.DialContext(ctx, network, ln.Addr().String())
	if err != nil {
		return nil, err
	}
	middle, err := ln.Accept()
	if err != nil {
		_ = near.Close()
		return nil, err
	}
	node, err := d.DialContext(ctx, network, address)
	if err != nil {
		_, _ = near.Close(), middle.Close()
		return nil, err
	}
	l.carry(node, middle)
	l.carry(middle, node)
	return near, nil
}

type parcel struct {
	bytes      []byte
	due, acked time.Time
}

// carry moves what comes from one side to the other, until either ends.
func (l *farLink) carry(to, from net.Conn) {
	sent := make(chan parcel, 1<<14)
	l.all.Go(func() {
		defer close(sent)
		var unacked []parcel
		outstanding := 0
		for {
			b := make([]byte, 16<<10)
			n, err := from.Read(b)
			if err != nil {
				return
			}
			for outstanding+n > l.window {
				sleepUntil(unacked[0].acked)
				outstanding -= len(unacked[0].bytes)
				unacked = unacked[1:]
			}
			now := time.Now()
			p := parcel{bytes: b[:n], due: now.Add(l.rtt / 2), acked: now.Add(l.rtt)}
			outstanding += n
			unacked = append(unacked, p)
			sent <- p
		}
	})
	l.all.Go(func() {
		defer func() { _, _ = to.Close(), from.Close() }()
		for p := range sent {
			sleepUntil(p.due)
			if _, err := to.Write(p.bytes); err != nil {
				_ = from.Close()
			}
		}
	})
}

func sleepUntil(t time.Time) {
	if d := time.Until(t); d > 0 {
		<-time.After(d)
	}
}

// BenchmarkStripes is the rate over a long way on which each connection is held
// back by what TCP lets it have under way: docs/adr/0012 has the figures.
func BenchmarkStripes(b *testing.B) {
	const partitions, size = 12, 1000
	for _, window := range []int{128 << 10, 4 << 20} {
		for _, stripes := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("window=%dKiB/stripes=%d", window>>10, stripes), func(b *testing.B) {
				cluster, err := broker.Start(broker.Config{Partitions: partitions})
				if err != nil {
					b.Fatal(err)
				}
				link := &farLink{rtt: 5 * time.Millisecond, window: window}
				p, err := kring.New(kring.Brokers(cluster.Addrs()...), kring.WithDialer(link.dial), kring.ConnectionsPerBroker(stripes))
				if err != nil {
					b.Fatal(err)
				}
				if err := p.Warmup(b.Context(), "t"); err != nil {
					b.Fatal(err)
				}
				value := make([]byte, size)
				b.SetBytes(size)
				b.ResetTimer() // not b.Loop: what the buffer took is not sent yet
				for i := range b.N {
					r := kring.Record{Topic: "t", Partition: kring.On(int32(i % partitions)), Value: value}
					if err := p.Produce(b.Context(), r, nil); err != nil {
						b.Fatal(err)
					}
				}
				if err := p.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := p.Close(context.Background()); err != nil {
					b.Error(err)
				}
				if err := cluster.Close(); err != nil {
					b.Error(err)
				}
				link.all.Wait()
				if s := p.Stats(); s.FailedRecords != 0 {
					b.Errorf("%d records failed", s.FailedRecords)
				}
			})
		}
	}
}
