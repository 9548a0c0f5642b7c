// Package metric names the numbers of a result that can be compared, and knows
// which direction is better.
//
//	"p99", "p99(service)", "cpu", "rate" ... ─► Metric ─► value of a result
package metric
