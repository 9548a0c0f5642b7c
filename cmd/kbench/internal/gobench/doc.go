// Package gobench writes results in the Go benchmark format, which benchstat
// and every other tool for it reads.
//
//	results ─► "Unit" lines, "key: value" lines, one Benchmark line per run
package gobench
