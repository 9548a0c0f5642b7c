package goroutine_test

import (
	"testing"

	"github.com/kring-go/kring/internal/goroutine"
)

// TestID: a goroutine keeps its number, and no other has it.
func TestID(t *testing.T) {
	own := goroutine.ID()
	if own == 0 || own != goroutine.ID() {
		t.Errorf("this goroutine is %d and then %d", own, goroutine.ID())
	}
	other := make(chan uint64)
	go func() { other <- goroutine.ID() }()
	if got := <-other; got == own || got == 0 {
		t.Errorf("another goroutine is %d, this one %d", got, own)
	}
}
