package kring

import (
	"context"
	"runtime/pprof"
	"strconv"
)

// The labels of the producer's goroutines in profiles. Callers that do a
// broker's work in Produce keep their own labels.
const (
	labelRole   = "kring"            // what the goroutine is for
	labelClient = "kring_client"     // client.id, if there is one
	labelBroker = "kring_broker"     // the id of the broker that it is for
	labelStripe = "kring_connection" // which of several connections to the broker
	labelLane   = "kring_lane"       // the number of the completion lane
)

// as is f with labels of its own. They replace those of whoever started the
// goroutine, who may be any caller of Produce, and pass to the goroutines that f
// starts. more is pairs of names and values.
func (p *Producer) as(role string, f func(), more ...string) func() {
	return func() {
		p.label(role, more...)
		f()
	}
}

// label labels the calling goroutine.
func (p *Producer) label(role string, more ...string) {
	pairs := append(make([]string, 0, 8), labelRole, role)
	if p.cfg.clientID != "" {
		pairs = append(pairs, labelClient, p.cfg.clientID)
	}
	pairs = append(pairs, more...)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(pairs...)))
}

// as is Producer.as for a goroutine of one broker.
func (b *broker) as(role string, f func()) func() {
	if b.p.cfg.stripes > 1 && b.id >= 0 {
		return b.p.as(role, f, labelBroker, strconv.Itoa(int(b.id)), labelStripe, strconv.Itoa(b.stripe))
	}
	return b.p.as(role, f, labelBroker, strconv.Itoa(int(b.id)))
}
