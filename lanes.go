package kring

import (
	"fmt"
	"strconv"
	"time"

	"github.com/kring-go/kring/accum"
	"github.com/kring-go/kring/internal/goroutine"
)

// maxLanes bounds CompletionLanes: each lane is a goroutine.
const maxLanes = 256

// CompletionLanes has callbacks run on n goroutines, 1 to 256; the default is 1.
// Callbacks of one partition run one after the other, in the order of its
// records, as with one lane: a partition has one lane for ever. Callbacks of
// different partitions may then run at once, so OnDelivery must be safe for
// that. One that blocks holds back the partitions of its lane, and no others;
// after five seconds the log says so. More lanes than partitions are of no use.
// Properties: kring.completion.lanes; Java has nothing like it.
func CompletionLanes(n int) Option {
	return option(func(c *config) {
		c.lanes = n
		if n < 1 || n > maxLanes {
			c.problem("CompletionLanes(%d): want 1 to %d", n, maxLanes)
		}
	})
}

// lanesProperty is kring's own, as inlineProperty is.
const lanesProperty = "kring.completion.lanes"

func setLanesProperty(c *config, p property, value string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxLanes {
		p.malformed(c, value, fmt.Sprintf("a whole number from 1 to %d", maxLanes))
		return
	}
	c.lanes = n
}

func (c *config) checkLanes() {
	if c.inlineDelivery && c.lanes > 1 {
		c.problem("InlineDelivery() and CompletionLanes(%d): callbacks run either inline or on lanes", c.lanes)
	}
}

// lanes are the completion lanes of a producer.
type lanes struct {
	all     []*accum.Lane
	reports []laneReport // of the timer
}

// laneReport is what the timer knows of a lane.
type laneReport struct {
	batches uint64 // called back for when it looked last
	since   int64  // when the lane was first seen at the batch after that
	told    bool
}

func (p *Producer) makeLanes() {
	p.lanes.all = make([]*accum.Lane, p.cfg.lanes)
	p.lanes.reports = make([]laneReport, p.cfg.lanes)
	p.courtesy.lanes = make([]laneAsked, p.cfg.lanes)
	for i := range p.lanes.all {
		p.lanes.all[i] = accum.NewLane(p.cfg.onDelivery, p.callbackPanicked)
		if p.cfg.inlineDelivery {
			p.lanes.all[i].Inline()
		}
	}
}

// of is the lane of a partition, the order-th of its topic's.
func (l *lanes) of(topic uint64, partition int32) *accum.Lane {
	return l.all[(topic+uint64(uint32(partition)))%uint64(len(l.all))]
}

// sole is the lane that readers may visit: with several, none.
func (l *lanes) sole() *accum.Lane {
	if len(l.all) != 1 {
		return nil
	}
	return l.all[0]
}

func (l *lanes) delivered() (n uint64) {
	for _, lane := range l.all {
		n += lane.Delivered()
	}
	return n
}

func (l *lanes) stop() {
	for _, lane := range l.all {
		lane.Stop()
	}
}

// runLane is a completion goroutine. A callback that ends its goroutine
// (runtime.Goexit, as t.Fatal does) gets a successor: the records behind it
// have callbacks too.
func (p *Producer) runLane(lane *accum.Lane) {
	ended := false
	defer func() {
		if !ended {
			p.workers.run(func() { p.runLane(lane) })
		}
	}()
	lane.Run(goroutine.ID())
	ended = true
}

// laneStuck is how long a lane may be at the callbacks of one batch before the
// log hears of it.
const laneStuck = 5 * time.Second

// reportLanes is called by the timer.
func (p *Producer) reportLanes(now int64) {
	for i, lane := range p.lanes.all {
		r := &p.lanes.reports[i]
		n := lane.Delivered()
		switch _, busy := lane.Busy(); {
		case !busy || n != r.batches:
			if r.told {
				p.log.Info("kring: delivery callbacks go on", "lane", i)
			}
			*r = laneReport{batches: n, since: now}
		case !r.told && now-r.since > int64(laneStuck):
			r.told = true
			p.stats.stuckLanes.Add(1)
			p.log.Warn("kring: a delivery callback does not return; the partitions of its lane wait for their callbacks, and keep their memory",
				"lane", fmt.Sprintf("%d of %d", i, len(p.lanes.all)), "for", time.Duration(now-r.since))
		}
	}
}
