// Command null is a client that does nothing: what a run of it costs is the
// harness's own share of every other client's numbers.
package main

import (
	"context"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
)

func main() { peer.Main("null", "github.com/kring-go/kring", false, start) }

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	if err := peer.Uncompressed(plan); err != nil {
		return nil, nil, err
	}
	return client{done}, nil, nil
}

type client struct{ done bench.Done }

func (c client) Produce(_ context.Context, r *bench.Record) error {
	c.done(r.Tag, max(r.Partition, 0), -1, nil)
	return nil
}

func (client) Flush(context.Context) error { return nil }
func (client) Close(context.Context) error { return nil }
