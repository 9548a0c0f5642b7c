//go:build !cgo

package main

import (
	"fmt"
	"os"

	"github.com/kring-go/kring/bench"
)

func main() {
	fmt.Fprintln(os.Stderr, "librdkafka: skipped: built without cgo; it needs CGO_ENABLED=1 and a C compiler")
	os.Exit(bench.ExitSkipped)
}
