package ring_test

import (
	"fmt"

	"github.com/kring-go/kring/ring"
)

func Example() {
	r := ring.New[string](2)
	fmt.Println(r.TryPush("a"), r.TryPush("b"), r.TryPush("c"))
	for v, ok := r.TryPop(); ok; v, ok = r.TryPop() {
		fmt.Println(v)
	}
	fmt.Println(r.Len(), "of", r.Cap())
	// Output:
	// true true false
	// a
	// b
	// 0 of 2
}
