//go:build !race

package broker

import (
	"fmt"
	"testing"
)

// TestProduceDoesNotAllocate holds the reason why this broker may stand beside
// the client that is measured.
func TestProduceDoesNotAllocate(t *testing.T) {
	for _, verify := range []Verify{VerifyNone, VerifyCount} {
		for _, version := range []int16{3, 8, 9, 13} {
			t.Run(fmt.Sprintf("v%d verify %v", version, verify), func(t *testing.T) {
				b := startTest(t, Config{Verify: verify})
				createTopic(t, b, "t", 12)
				c := newConn(b.nodes[0], discardConn{})
				frame := benchRequest(benchSizes()[0], version, b.topics.Load().byName["t"].id)[4:]
				n := testing.AllocsPerRun(100, func() {
					if !c.handle(frame) {
						t.Fatal("the request was refused")
					}
				})
				if n != 0 {
					t.Errorf("%v allocations per request, want 0", n)
				}
			})
		}
	}
}
