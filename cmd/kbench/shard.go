package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/kring-go/kring/bench"
)

// shard fills in what the machines of one run have in common, and what is this
// one's own.
func (c *runCmd) shard(cfg *bench.Config, bad func(flag string, err error)) {
	var err error
	if c.StartAt != "" {
		cfg.StartAt, err = time.Parse(time.RFC3339, c.StartAt)
		if err != nil {
			err = fmt.Errorf("%q is not a time such as 2026-11-23T12:00:00Z", c.StartAt)
		} else if ago := time.Since(cfg.StartAt); ago > 0 {
			err = fmt.Errorf("%s was %v ago", c.StartAt, ago.Round(time.Second))
		}
		bad("start-at", err)
	}
	if c.RunID != "" {
		cfg.RunID = bench.SharedRunID(c.RunID)
	}
	if c.Shard == "" {
		return
	}
	cfg.Shard, err = bench.ParseShard(c.Shard)
	bad("shard", err)
	if c.RunID == "" {
		cfg.RunID = bench.SharedRunID(fmt.Sprint(c.Topic, cfg.StartAt.UTC(), cfg.Shard.Of))
	}
	if c.Profile {
		bad("profile", errors.New("a shard can not be repeated alone: profile without --shard"))
	}
}
