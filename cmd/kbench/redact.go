package main

import (
	"strings"

	"github.com/kring-go/kring/bench"
)

// redacted is the command line as it may stand in a result: values of
// properties that sound like secrets are left out.
func redacted(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = arg
		if name, _, ok := strings.Cut(arg, "="); ok && bench.SecretName(name) {
			out[i] = name + "=[redacted]"
		}
	}
	return out
}
