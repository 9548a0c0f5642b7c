// Package diff compares two sets of results.
//
//	old runs ─┐ same workload? ─► per metric: medians, Mann-Whitney U ─► Holm ─► rows
//	new runs ─┘ enough runs?                                              gates ─► breaches
//
// A median with its confidence interval and the U test assume nothing about how
// the values are distributed. Several metrics are several chances to find a
// difference where none is, so p-values are adjusted by Holm's method: with an
// alpha of 0.05, at most one comparison in twenty of a program with itself
// reports anything at all.
package diff
