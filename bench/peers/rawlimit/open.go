package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/kring-go/kring/bench"
)

// openLink adds to a link what several goroutines need.
type openLink struct {
	*link
	mu     sync.Mutex
	change sync.Cond // an answer came, or err is set
	linger time.Duration
	timer  *time.Timer
	armed  bool
	err    error
	pairs  sync.WaitGroup
}

// open is the open loop: callers write, a goroutine per link reads.
type open struct {
	links []*link
	by    map[*link]*openLink
	spots []openSpot
	mu    sync.Mutex
	turn  int // the next record's partition, where the plan names none
}

type openSpot struct {
	link  *openLink
	place int
}

func newOpen(links []*link, where []spot) *open {
	o := &open{links: links, by: map[*link]*openLink{}}
	for _, l := range links {
		ol := &openLink{link: l, linger: l.linger}
		ol.change.L = &ol.mu
		ol.timer = time.AfterFunc(time.Hour, ol.lingered)
		o.by[l] = ol
		ol.pairs.Go(ol.read)
	}
	for _, s := range where {
		o.spots = append(o.spots, openSpot{o.by[s.link], s.place})
	}
	return o
}

// Produce encodes and, without a linger, writes at once if it may.
func (o *open) Produce(_ context.Context, r *bench.Record) error {
	p := int(r.Partition)
	if p < 0 {
		o.mu.Lock()
		p = o.turn
		o.turn = (o.turn + 1) % len(o.spots)
		o.mu.Unlock()
	}
	l, place := o.spots[p].link, o.spots[p].place
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.err == nil && !l.add(place, r, millis) {
		if l.full() {
			l.change.Wait()
		} else {
			l.err = l.send()
		}
	}
	switch {
	case l.err != nil:
	case l.linger == 0:
		if !l.full() {
			l.err = l.send()
		}
	case !l.armed:
		l.armed = true
		l.timer.Reset(l.linger)
	}
	return l.err
}

func (l *openLink) lingered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = false
	if l.err == nil && !l.full() {
		l.err = l.send()
	}
}

// read is the goroutine that gets the answers.
func (l *openLink) read() {
	for {
		err := l.receive()
		var g *generation
		l.mu.Lock()
		if err == nil && len(l.out) == 0 {
			err = errors.New("an answer to nothing")
		}
		if err != nil {
			l.err = errors.Join(l.err, err)
			l.change.Broadcast()
			l.mu.Unlock()
			return
		}
		g = l.out[0]
		copy(l.out, l.out[1:])
		l.out = l.out[:len(l.out)-1]
		// What piled up leaves before the completions are told.
		if l.err == nil && l.linger == 0 && len(l.free) > 0 {
			l.err = l.send()
		}
		l.mu.Unlock()
		err = l.complete(g)
		l.mu.Lock()
		l.free = append(l.free, g)
		l.err = errors.Join(l.err, err)
		l.change.Broadcast()
		l.mu.Unlock()
	}
}

// Flush waits for every answer.
func (o *open) Flush(context.Context) error {
	for _, l := range o.by {
		l.mu.Lock()
		for l.err == nil && (l.filling.records > 0 || len(l.free) <= l.limit) {
			if l.filling.records > 0 && !l.full() {
				l.err = l.send()
				continue
			}
			l.change.Wait()
		}
		err := l.err
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the reading goroutines with their connections.
func (o *open) Close(context.Context) error {
	err := closeAll(o.links)
	for _, l := range o.by {
		l.pairs.Wait()
		l.timer.Stop()
	}
	return err
}

func closeAll(links []*link) error {
	var err error
	for _, l := range links {
		if closing := l.conn.Close(); closing != nil && !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}
