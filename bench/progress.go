package bench

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// progress is the line per interval. It only reads what the senders and
// completions publish anyway, so that it costs the measured client nothing but
// a wake-up per interval.
type progress struct {
	r     *run
	quit  chan struct{}
	ended sync.WaitGroup
	once  sync.Once

	acked, failed       uint64
	bytes               float64 // of acked
	at                  int64
	cpu                 int64
	latency, oldLatency *snapshot
	lag, oldLag         *snapshot
	marks               []int64 // p99 per interval, for the sparkline
	rates               []int64 // records per second, likewise
}

const sparkWidth = 12

func startProgress(r *run) *progress {
	p := &progress{r: r, quit: make(chan struct{})}
	ticking := r.cfg.Interval > 0 && (r.out.Progress != nil || r.out.Intervals != nil)
	if !ticking && r.out.Intervals == nil {
		return p
	}
	p.latency, p.oldLatency = newSnapshot(), newSnapshot()
	p.lag, p.oldLag = newSnapshot(), newSnapshot()
	p.at = r.clock()
	u := readUsage()
	p.cpu = u.userNs + u.sysNs
	if r.out.Intervals != nil {
		fmt.Fprintln(r.out.Intervals, "t_ns,phase,acked,failed,bytes,p50_ns,p99_ns,lag_p99_ns,cpu_ns")
	}
	if ticking {
		p.ended.Go(p.loop)
	}
	return p
}

func (p *progress) loop() {
	ticker := time.NewTicker(p.r.cfg.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.tick()
		case <-p.quit:
			if v := p.r.out.View; v != nil {
				v.End()
			} else if p.r.out.TTY && p.r.out.Progress != nil && len(p.marks) > 0 {
				fmt.Fprint(p.r.out.Progress, "\r\x1b[K")
			}
			return
		}
	}
}

// stop ends the line, and writes what came after the last tick: rows add up to
// all that was acknowledged. Later calls do nothing.
func (p *progress) stop() {
	p.once.Do(func() {
		close(p.quit)
		p.ended.Wait()
		if p.r.out.Intervals != nil {
			p.row(p.look())
		}
	})
}

// sums adds up what all shards have published.
// The bytes acknowledged are estimated from the size of what was sent so far.
func (p *progress) sums() (acked, failed uint64, ackedBytes float64) {
	sent, bytes := uint64(0), uint64(0)
	for i := range p.r.rec.shards {
		sh := &p.r.rec.shards[i]
		acked += sh.acked.Load() + sh.ackedWarm.Load()
		failed += sh.failed.Load() + sh.failWarm.Load() + sh.rejected.Load()
		sent += sh.sent.Load()
		bytes += sh.bytes.Load()
	}
	if sent > 0 {
		ackedBytes = float64(acked) * float64(bytes) / float64(sent)
	}
	return acked, failed, ackedBytes
}

// look is what has happened since the last one.
type look struct {
	now, cpu       int64
	acked, failed  uint64
	bytes, seconds float64
	phase, name    string
	p50, p99, lag  int64
}

func (p *progress) look() look {
	r := p.r
	l := look{now: r.clock(), phase: "run"}
	l.acked, l.failed, l.bytes = p.sums()
	u := readUsage()
	l.cpu = u.userNs + u.sysNs
	p.latency, p.oldLatency = p.oldLatency, p.latency
	p.lag, p.oldLag = p.oldLag, p.lag
	l.name = r.headline(p.latency)
	r.rec.merge(p.lag, func(sh *shard) *hist { return sh.lag })
	l.p50, l.p99 = p.latency.quantileSince(p.oldLatency, 0.5), p.latency.quantileSince(p.oldLatency, 0.99)
	l.lag = p.lag.quantileSince(p.oldLag, 0.99)
	l.seconds = float64(l.now-p.at) / 1e9
	if !r.signal.measuring.Load() {
		l.phase = "warm-up"
	}
	return l
}

// row is a line of intervals.csv.
func (p *progress) row(l look) {
	fmt.Fprintf(p.r.out.Intervals, "%d,%s,%d,%d,%.0f,%d,%d,%d,%d\n", l.now-p.r.rec.start.Load(), l.phase,
		l.acked-p.acked, l.failed-p.failed, l.bytes-p.bytes, l.p50, l.p99, l.lag, l.cpu-p.cpu)
}

func (p *progress) tick() {
	r, l := p.r, p.look()
	p.marks = mark(p.marks, l.p99)
	p.rates = mark(p.rates, int64(float64(l.acked-p.acked)/l.seconds))
	if r.out.log != nil {
		r.out.log.take(r.rec, l.now)
	}
	if r.out.Intervals != nil {
		p.row(l)
	}
	switch {
	case r.out.View != nil:
		r.out.View.Show(Tick{
			At: time.Duration(l.now - r.rec.start.Load()), Phase: l.phase, Acked: l.acked, Failed: l.failed, InFlight: r.rec.pending(),
			Rate: float64(l.acked-p.acked) / l.seconds, Bytes: (l.bytes - p.bytes) / l.seconds, Headline: l.name,
			P50: l.p50, P99: l.p99, P999: p.latency.quantileSince(p.oldLatency, 0.999), Lag: l.lag, Open: r.rec.open,
			CPU: float64(l.cpu-p.cpu) / 1e9 / l.seconds, Buffer: r.buffer(), Rates: p.rates, Marks: p.marks, Fault: r.faults.holding(),
		})
	case r.out.Progress != nil:
		line := fmt.Sprintf("%4.0fs  %8s rec/s  %9s/s  %s p50 %s p99 %s",
			float64(l.now-r.rec.start.Load())/1e9, formatShort(float64(l.acked-p.acked)/l.seconds),
			formatBytes((l.bytes-p.bytes)/l.seconds), l.name, formatNanos(l.p50), formatNanos(l.p99))
		if r.rec.open {
			line += "  lag p99 " + formatNanos(l.lag)
		}
		line += fmt.Sprintf("  cpu %.2f  err %d  %s", float64(l.cpu-p.cpu)/1e9/l.seconds, l.failed, sparkline(p.marks))
		if l.phase != "run" {
			line += "  (" + l.phase + ")"
		}
		if what := r.faults.holding(); what != "" {
			line += "  (" + what + ")"
		}
		p.print(line)
	}
	p.acked, p.failed, p.bytes, p.at, p.cpu = l.acked, l.failed, l.bytes, l.now, l.cpu
}

func (p *progress) print(line string) {
	if p.r.out.TTY {
		fmt.Fprint(p.r.out.Progress, "\r\x1b[K"+line)
		return
	}
	fmt.Fprintln(p.r.out.Progress, line)
}

// mark keeps the last few values.
func mark(marks []int64, v int64) []int64 {
	if marks = append(marks, v); len(marks) > sparkWidth {
		copy(marks, marks[1:])
		marks = marks[:sparkWidth]
	}
	return marks
}

// headline merges the latency that the mode is about, and names it.
func (r *run) headline(into *snapshot) string {
	into.reset()
	if r.rec.open {
		r.rec.merge(into, func(sh *shard) *hist { return sh.response })
		return "response"
	}
	r.rec.merge(into, func(sh *shard) *hist { return sh.service })
	return "service"
}

// merge replaces into by the sum of one histogram over all shards; shards of
// one group share theirs, which counts once.
func (r *recorder) merge(into *snapshot, which func(*shard) *hist) {
	into.reset()
	for i := range min(len(r.shards), histGroups) {
		if h := which(&r.shards[i]); h != nil {
			into.add(h)
		}
	}
}

// sparkline draws values from 0 to their maximum.
func sparkline(values []int64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	top := int64(1)
	for _, v := range values {
		top = max(top, v)
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteRune(bars[int(v*int64(len(bars)-1)/top)])
	}
	return b.String()
}
