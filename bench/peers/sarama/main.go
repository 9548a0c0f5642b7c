// Command sarama drives sarama's AsyncProducer as its experts would: messages
// are reused, both return channels have a reader of their own, and the flush
// triggers follow the linger.
package main

import "github.com/kring-go/kring/bench/peers/internal/peer"

func main() { peer.Main("sarama", "github.com/IBM/sarama", true, start) }
