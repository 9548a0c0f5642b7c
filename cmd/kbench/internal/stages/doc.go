// Package stages tells where the time of a record goes, from a CPU profile.
//
//	profile ─► sample: stack, nanoseconds ─► rules() ─► one stage each ─► table
//	                                         1 anywhere on the stack
//	                                         2 the frame nearest to the processor
//	                                         3 the package of a frame
//
// Every sample belongs to exactly one stage, so the stages add up to the
// profile. What helps somebody else (copying memory, atomics, locks) belongs to
// the stage that called it, since it has no rule of its own.
package stages
