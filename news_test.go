package kring_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
)

// TestNews: what the log is told, and how often.
func TestNews(t *testing.T) {
	var log lockedBuffer
	lines := func(text string) int { return strings.Count(log.String(), text) }
	throttled, missing, leader := 5, 3, int32(1)
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, r *kmsg.MetadataResponse) {
			if missing > 0 {
				missing--
				for i := range r.Topics {
					r.Topics[i].ErrorCode, r.Topics[i].Partitions = int16(kring.UnknownTopicOrPartition), nil
				}
			}
			second := r.Brokers[0]
			second.NodeID = 2
			r.Brokers = append(r.Brokers, second)
			for i := range r.Topics {
				for k := range r.Topics[i].Partitions {
					r.Topics[i].Partitions[k].Leader, r.Topics[i].Partitions[k].LeaderEpoch = leader, leader
				}
			}
		}
		b.produce = func(c *wireConn, q *wireRequest) {
			b.mu.Lock()
			move := throttled == 0 && leader == 1
			throttle := throttled > 0
			if throttle {
				throttled--
			}
			if move {
				leader = 2
			}
			b.mu.Unlock()
			switch {
			case move:
				c.fail(q, int16(kring.NotLeaderOrFollower))
			case throttle:
				resp := b.success(q)
				resp.ThrottleMillis = 1
				c.answer(q.correlation, resp)
			default:
				c.accept(q)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	for range 6 {
		deliverOne(t, p)
	}
	for text, want := range map[string]int{
		"a topic has no partitions to produce to":  1,
		"a broker throttles this producer":         1,
		"partitions have another leader":           1,
		"a delivery callback does not return":      0,
		"sequences start again under a new epoch":  0,
		"connection to a broker failed":            0,
		"a broker can not be reached":              0,
		"no broker answers a metadata request":     0,
		"the brokers refuse this client":           0,
		"the cluster refuses this producer's":      0,
		"for=1ms":                                  1,
		"topic=t partitions=2":                     1,
		"the broker lost this producer's sequence": 0,
	} {
		// The line may be written after the record went on its way.
		until(t, fmt.Sprintf("%d lines say %q", want, text), func() bool { return lines(text) >= want })
		if n := lines(text); n != want {
			t.Errorf("%d lines say %q, want %d", n, text, want)
		}
	}
	if p.Stats().Throttles != 5 {
		t.Errorf("%d throttles, want 5", p.Stats().Throttles)
	}
}

// TestUnreachableIsNews: the attempts to reach a broker are told ever more
// rarely.
func TestUnreachableIsNews(t *testing.T) {
	var log lockedBuffer
	b := newWireBroker(t, func(b *wireBroker) {
		b.metadata = func(_ *kmsg.MetadataRequest, r *kmsg.MetadataResponse) {
			r.Brokers[0].Port = 1 // nobody listens
		}
	})
	p := caseProducer(t, []string{b.addr()}, kring.Logger(slog.New(slog.NewTextHandler(&log, nil))),
		kring.RequestTimeout(time.Second), kring.DeliveryTimeout(2*time.Second), kring.DisableRebootstrap())
	_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")})
	if err == nil {
		t.Fatal("the record was delivered to nobody")
	}
	text := log.String()
	for _, n := range []string{"attempts=1 ", "attempts=2 ", "attempts=4 "} {
		if !strings.Contains(text, "a broker can not be reached\" broker=1 address=127.0.0.1:1 "+n) {
			t.Errorf("the log does not say %s", n)
		}
	}
	if strings.Contains(text, "attempts=3 ") {
		t.Error("every attempt is told")
	}
}
