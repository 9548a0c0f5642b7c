//go:build cgo

package main

import (
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/peers/internal/peer"
)

func main() {
	peer.Main("librdkafka", "github.com/confluentinc/confluent-kafka-go/v2", false, start, bench.Foreign())
}
