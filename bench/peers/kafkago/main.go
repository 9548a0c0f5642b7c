// Command kafkago drives kafka-go's Writer as its experts would: Async with a
// Completion, and a bound of what waits, because the Writer has none.
package main

import "github.com/kring-go/kring/bench/peers/internal/peer"

func main() { peer.Main("kafka-go", "github.com/segmentio/kafka-go", true, start) }
