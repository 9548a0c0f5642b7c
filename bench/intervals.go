package bench

import (
	"encoding/binary"
	"time"
)

// intervalLog keeps what was added to every distribution between two ticks, for
// the histogram log. It is packed while the run is under way, about three bytes
// for each bucket that changed, and encoded after it: compressing an interval
// costs allocations, which would be charged to the client.
//
//	interval:  from, to (ns since the run's start), then per distribution
//	           number of changed buckets, and for each: index gap, count
//	           all of them uvarints
//
// Only the goroutine of progress touches it, and after it that of Run.
type intervalLog struct {
	started time.Time // wall clock at the run's start
	names   []string
	old     []*snapshot
	now     *snapshot
	packed  []byte
	last    int64
	taken   int
}

// interval is one distribution between two ticks.
type interval struct {
	name     string
	from, to time.Time
	counts   *snapshot // without overflow
}

func newIntervalLog() *intervalLog {
	return &intervalLog{now: newSnapshot(), packed: make([]byte, 0, 1<<20)}
}

// take adds the interval from the last call until now.
func (l *intervalLog) take(r *recorder, now int64) {
	if l.names == nil {
		for _, name := range DistributionNames() {
			if byName(name)(&r.shards[0]) != nil {
				l.names = append(l.names, name)
				l.old = append(l.old, newSnapshot())
			}
		}
	}
	at := max(now-r.start.Load(), l.last)
	l.packed = binary.AppendUvarint(binary.AppendUvarint(l.packed, uint64(l.last)), uint64(at))
	for i, name := range l.names {
		r.merge(l.now, byName(name))
		l.pack(l.old[i])
		l.old[i], l.now = l.now, l.old[i]
	}
	l.last = at
	l.taken++
}

// pack appends what l.now has more than old.
func (l *intervalLog) pack(old *snapshot) {
	changed := uint64(0)
	for i, c := range l.now.counts {
		if c != old.counts[i] {
			changed++
		}
	}
	l.packed = binary.AppendUvarint(l.packed, changed)
	last := 0
	for i, c := range l.now.counts {
		if c != old.counts[i] {
			l.packed = binary.AppendUvarint(binary.AppendUvarint(l.packed, uint64(i-last)), c-old.counts[i])
			last = i
		}
	}
}

// each unpacks one distribution's interval after another. The counts are good
// until the next call.
func (l *intervalLog) each(yield func(interval) error) error {
	rest := l.packed
	next := func() uint64 {
		v, n := binary.Uvarint(rest)
		rest = rest[n:]
		return v
	}
	counts := newSnapshot()
	for range l.taken {
		from, to := next(), next()
		for _, name := range l.names {
			counts.reset()
			at := 0
			for range next() {
				at += int(next())
				c := next()
				counts.counts[at] = c
				counts.n += c
				counts.max = histValue(at)
			}
			err := yield(interval{name, l.started.Add(time.Duration(from)), l.started.Add(time.Duration(to)), counts})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// byName picks a distribution's histogram of a shard.
func byName(name string) func(*shard) *hist {
	switch name {
	case "response":
		return func(sh *shard) *hist { return sh.response }
	case "service":
		return func(sh *shard) *hist { return sh.service }
	case "call":
		return func(sh *shard) *hist { return sh.call }
	case "e2e":
		return func(sh *shard) *hist { return sh.e2e }
	}
	return func(sh *shard) *hist { return sh.lag }
}
