package main

import (
	"context"
	"time"

	"github.com/kring-go/kring/bench"
)

// spot is where a partition's records go.
type spot struct {
	link  *link
	place int
}

// flat is the closed loop: everything happens in the one goroutine that produces.
type flat struct {
	links []*link
	where []spot // by partition
	next  int    // the partition that is being filled, where the plan names none
}

func millis() int64 { return time.Now().UnixMilli() }

// Produce encodes, and sends whenever a batch is full.
func (f *flat) Produce(_ context.Context, r *bench.Record) error {
	if r.Partition >= 0 {
		s := f.where[r.Partition]
		for !s.link.add(s.place, r, millis) {
			if err := s.link.flush(); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		s := f.where[f.next]
		if s.link.add(s.place, r, millis) {
			return nil
		}
		// This batch is full: fill the next one, and send when all are.
		if f.next++; f.next == len(f.where) {
			f.next = 0
			for _, l := range f.links {
				if err := l.flush(); err != nil {
					return err
				}
			}
		}
	}
}

// flush sends, after an answer where there is no room.
func (l *link) flush() error {
	if err := l.send(); err != nil {
		return err
	}
	if l.full() {
		return l.answer()
	}
	return nil
}

// answer waits for the oldest request's.
func (l *link) answer() error {
	if err := l.receive(); err != nil {
		return err
	}
	g := l.out[0]
	copy(l.out, l.out[1:])
	l.out = l.out[:len(l.out)-1]
	err := l.complete(g)
	l.free = append(l.free, g)
	return err
}

// Flush is called when nobody produces any more.
func (f *flat) Flush(context.Context) error {
	for _, l := range f.links {
		if err := l.flush(); err != nil {
			return err
		}
		for len(l.out) > 0 {
			if err := l.answer(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *flat) Close(context.Context) error { return closeAll(f.links) }
