package kring

import (
	"fmt"
	"strings"

	"github.com/kring-go/kring/accum"
)

// DebugState prints where every partition stands. It takes each broker's role
// for the time of the look.
func (p *Producer) DebugState() string {
	var s strings.Builder
	id := *p.identity.Load()
	fmt.Fprintf(&s, "identity %+v, pressure %t, live %d, timer asleep %t\n", id, p.acc.Pressed(), p.acc.Live(), p.timer.asleep.Load())
	for _, b := range append([]*broker{p.nowhere}, *p.brokers.Load()...) {
		for !b.role.Enter() { // a debug print may spin
		}
		inFlight := -1
		if b.conn != nil {
			inFlight = b.conn.InFlight()
		}
		fmt.Fprintf(&s, "broker %d: conn %t, in flight %d, dialing %t, pend %d, slow %d, throttled for %d ns, gone %t\n",
			b.id, b.conn != nil, inFlight, b.dialing, b.pend.len(), len(b.slow), b.throttled-p.clock.Now(), b.gone.Load())
		for _, a := range p.acc.Partitions() {
			q := a.Sink().(*partition)
			if q.home.Load() != b {
				continue
			}
			env := accum.Env{Now: p.clock.Now(), Idempotent: p.cfg.idempotence, Identity: id, MaxInFlight: p.cfg.maxInFlight}
			_, wait := q.Next(&env)
			fmt.Fprintf(&s, "  %s[%d] leader %d, pending %t, slow %t, in send %d, in flight %d, wait: %v; %s\n",
				q.Topic, q.Index, q.leader.Load().id, q.pending, q.slow, q.inSend, q.InFlight(), wait, q.Debug())
		}
		for !b.role.Leave() { // what was asked is lost: a debug print only
		}
	}
	return s.String()
}

// CoarseMs is the time that the timer has read last.
func (p *Producer) CoarseMs() int64 { return p.clock.CoarseMs() }
