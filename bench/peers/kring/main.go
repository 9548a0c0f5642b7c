// Command kring drives the library of this repository, in the same way as the
// other workers drive theirs.
package main

import (
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
)

func main() {
	peer.Main("kring", "github.com/kring-go/kring", false, start)
}

func start(plan *bench.Config, done bench.Done) (bench.Client, map[string]string, error) {
	client, err := bench.Kring().New(plan.Settings, done)
	return client, nil, err
}
