// Package peer is what the worker programs of this module share: it reads a
// plan of package bench from standard input, drives one library through it, and
// prints the result.
//
//	kbench compare ── plan (JSON) ──► worker: peer.Main ──► bench.Run ──► library ──► broker
//	               ◄── kbench.result/v1, client.props in the library's own words ──┘
//
// Every client is given the plan's settings, and Java's defaults where the plan
// has none; what a client lacks, or counts otherwise, its properties say. The
// worker in ../../java does the same in Java, for Java's client.
//
// A worker is a process of its own, so its CPU time, its heap and its garbage
// collector are one library's alone.
package peer
