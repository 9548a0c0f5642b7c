// Command compare measures clients beside each other: each client is a worker
// program of this module, all are given the same plan, and they run in turn,
// round after round, so that what the machine does meanwhile hits all of them.
//
//	go run ./cmd/compare -scenario partitioned -runs 5
//
//	build workers ─► broker (a process of its own, or -b) ─► topic
//	   round 1: kring, franz-go, rawlimit, …   each: warm-up, measured phase
//	   round 2: kring, franz-go, rawlimit, …
//	        ▼
//	medians, spread ─► table (Markdown), goals ─► bench/results/DATE-NAME.json
//
// A ratio is the median of the rounds' ratios, because two runs of the same
// round have met the same machine.
package main
