package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
)

func main() {
	peer.Main("rawlimit", "github.com/kring-go/kring", false, start)
}

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	flatOut := plan.Mode == bench.ModeClosed && plan.Busy == 0
	if flatOut && plan.Senders > 1 {
		return nil, nil, bench.UsageError(fmt.Errorf("flat out there is one goroutine; the plan has %d senders", plan.Senders))
	}
	if err := errors.Join(peer.Uncompressed(plan), peer.Plaintext(plan)); err != nil {
		return nil, nil, err
	}
	links, where, err := connect(context.Background(), plan, done)
	if err != nil {
		return nil, nil, err
	}
	variant := "flat out: encode, checksum, write, and read when 5 requests are out, in one goroutine"
	var client bench.Client = &flat{links: links, where: where}
	if !flatOut {
		variant = "open loop, or busy callers: the caller encodes and writes, a goroutine reads"
		client = newOpen(links, where)
	}
	return client, map[string]string{
		"variant": variant, "in flight": strconv.Itoa(links[0].limit),
		"batch": strconv.Itoa(links[0].batchSize),
	}, nil
}
