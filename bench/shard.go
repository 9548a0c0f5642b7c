package bench

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Shard is one of several machines that make a run together. All of them have
// the same plan; each sends the records whose number, counted over all senders
// of all shards, is one of its own:
//
//	sender k of shard i is sender i·Senders + k of Of·Senders
//
// so the timetable, the stamps and the keys are those of one large run. The zero
// value is a run of its own.
type Shard struct {
	Index int `json:"index"` // from 0
	Of    int `json:"of"`
}

// ShardInfo is a result's place among those of its run.
type ShardInfo struct {
	Index     int    `json:"index"`
	Of        int    `json:"of"`
	StartAt   string `json:"start_at"`   // RFC 3339; the run's zero on every shard
	RateTotal int64  `json:"rate_total"` // of all shards; 0 is flat out
}

// maxShards bounds the number of machines; their senders share maxSenders.
const maxShards = 1024

// ParseShard reads i/n, where i counts from 0 as Kubernetes does for the pods
// of an Indexed Job.
func ParseShard(s string) (Shard, error) {
	index, of, ok := strings.Cut(s, "/")
	i, errIndex := strconv.Atoi(index)
	n, errOf := strconv.Atoi(of)
	switch {
	case !ok || errIndex != nil || errOf != nil:
		return Shard{}, fmt.Errorf("%q is not i/n, such as 0/4", s)
	case n < 1 || n > maxShards:
		return Shard{}, fmt.Errorf("%q: want 1 to %d shards", s, maxShards)
	case i < 0 || i >= n:
		return Shard{}, fmt.Errorf("%q: shards of %d are 0 to %d", s, n, n-1)
	}
	return Shard{Index: i, Of: n}, nil
}

// String is i/n.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// on reports whether the run has other shards.
func (s Shard) on() bool { return s.Of > 0 }

// all is how many senders the run has on all machines.
func (s Shard) all(senders int) int { return max(s.Of, 1) * senders }

// first is the number of this machine's first sender among them.
func (s Shard) first(senders int) int { return s.Index * senders }

// shift is what turns this machine's tags into the run's.
func (s Shard) shift(senders int) tag { return makeTag(s.first(senders), 0) }

// others reports whether a whole stamp is of another shard.
func (p *VerifyPlan) others(raw uint64, whole bool) bool {
	if !p.Shard.on() || !whole {
		return false
	}
	own := p.Senders / p.Shard.Of
	k := tag(raw).sender() - p.Shard.first(own)
	return k < 0 || k >= own
}

// SharedRunID is the id of a run whose machines were told nothing else in
// common: text may be a run's id, or anything that identifies the run.
func SharedRunID(text string) RunID {
	var id RunID
	if err := id.UnmarshalText([]byte(text)); err == nil && len(text) == 16 {
		return id
	}
	sum := sha256.Sum256([]byte(text))
	return RunID(binary.BigEndian.Uint64(sum[:]))
}

// checkShard refuses plans that several machines can not share.
func (c *Config) checkShard(want func(ok bool, format string, args ...any)) {
	s := c.Shard
	if !s.on() {
		return
	}
	want(s.Of <= maxShards && s.Index >= 0 && s.Index < s.Of, "--shard is %v", s)
	want(s.all(c.Senders) <= maxSenders, "--senders %d on %d shards are more than %d", c.Senders, s.Of, maxSenders)
	want(!c.StartAt.IsZero(), "--shard needs --start-at, the same on every machine")
	want(len(c.Settings.Brokers) > 0, "--shard needs --brokers: an embedded broker is this machine's own")
	want(c.Settings.Topic != "", "--shard needs --topic: a temporary one would end with the first machine")
	if c.Mode == ModeOpen {
		want(c.Rate >= int64(s.Of), "--rate %d is less than one record per second and shard", c.Rate)
	}
	if c.several() {
		return // Who started it verifies for all.
	}
	want(c.Verify != VerifyCount, "--verify count would count the other shards' records: use full or none")
	want(c.Verify != VerifyFull || c.Sizes.Min() >= StampSize,
		"--verify full of a shard needs values of %d bytes or more: smaller ones do not say whose they are", StampSize)
}

// ownRate is this machine's part of the rate.
func (c *Config) ownRate() int64 {
	of := int64(max(c.Shard.Of, 1))
	return (c.Rate + of/2) / of
}

// ownRecords is this machine's part of the records.
func (c *Config) ownRecords() int64 {
	n := uint64(0)
	for sender := range c.Senders {
		n += c.share(sender)
	}
	return int64(n)
}

// shardInfo is the result's tag; nil for a run of its own.
func (c *Config) shardInfo() *ShardInfo {
	if !c.Shard.on() {
		return nil
	}
	return &ShardInfo{Index: c.Shard.Index, Of: c.Shard.Of, StartAt: c.StartAt.UTC().Format(time.RFC3339Nano), RateTotal: c.Rate}
}

// awaitStart sleeps until shortly before the common start. It looks at the wall
// clock again every second, since that may be set meanwhile.
func (r *run) awaitStart(ctx context.Context) error {
	at := r.cfg.StartAt
	if at.IsZero() {
		return nil
	}
	if r.cfg.Mode == ModeOpen {
		at = at.Add(-time.Duration(openLead))
	}
	late := time.Since(r.cfg.StartAt.Round(0))
	if late > 0 {
		return errors.Join(fmt.Errorf("kbench: the start, %s, passed %v ago, before this machine was ready: choose a later --start-at",
			r.cfg.StartAt.Format(time.RFC3339), late.Round(time.Millisecond)), r.clients.Close(context.WithoutCancel(ctx)))
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), r.clients.Close(context.WithoutCancel(ctx)))
		}
		left := time.Until(at.Round(0))
		if left <= 0 {
			return nil
		}
		timer.Reset(min(left, time.Second))
	}
}

// zero is the run's zero on this process's clock. An open loop's lies a moment
// ahead.
func (r *run) zero() int64 {
	now := r.clock()
	switch {
	case !r.cfg.StartAt.IsZero():
		return now + int64(time.Until(r.cfg.StartAt))
	case r.cfg.Mode == ModeOpen:
		return now + openLead
	}
	return now
}
