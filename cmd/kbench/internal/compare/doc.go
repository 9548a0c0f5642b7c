// Package compare measures clients beside each other: each is a program of its
// own, all are given the same plan, and they run in turn, round after round, so
// that what the machine does meanwhile hits all of them.
//
//	names ─► Find: kbench worker, --workers, PATH, or built from bench/peers ─► []Client
//	                                                                              │
//	Scenarios (a table) ─► plan ─► round 1: A, B, C, …   each: bench.Execute ◄────┘
//	                               round 2: A, B, C, …         │  broker (a process), worker, verification
//	                                                           ▼
//	      medians, spread, ratios to a base, Mann-Whitney U ◄── kbench.result/v1, one file per run
//	                   │
//	                   └─► table, parity of settings, kbench.compare/v1, exit code
//
// A ratio is the median of the rounds' ratios, because two runs of the same
// round have met the same machine. A difference is named only if the U test
// finds it, with p-values adjusted by Holm's method over the metrics of a
// client: comparing a client with itself finds one in 20 comparisons at most.
package compare
