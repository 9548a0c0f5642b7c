// Command franzgo drives franz-go as its experts would: records and promises
// are reused, and buffers are as large as kring's.
package main

import "github.com/kring-go/kring/bench/peers/internal/peer"

func main() {
	peer.Main("franz-go", "github.com/twmb/franz-go", true, start)
}
