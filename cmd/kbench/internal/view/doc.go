// Package view draws a run that is under way on a terminal.
//
//	bench.progress ─► Tick ─► lines() ─► colours, cut to the width ─► terminal
//	                                     over the lines of the last tick
//
// It is a few lines that rewrite themselves, without a library that reads the
// keyboard or takes the whole screen: the terminal scrolls as ever, and an
// interrupted run leaves it as it was. It never reads what it is written to.
package view
