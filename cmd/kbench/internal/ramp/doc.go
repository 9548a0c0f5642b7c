// Package ramp finds the highest rate at which a client keeps its promises.
//
//	rate ─► Probe (one open-loop run, judged by --slo) ─► Point: met, missed, or invalid
//	  ▲                                                     │
//	  └── search: climb × step until one is missed ◄────────┘
//	              bisect between the last met and the first missed, to 2 %
//	              confirm the rate so often; lower it when it does not hold
//
// A point that is missed is tried once more before it counts, because one bad
// moment of the machine must not end the climb. The curve holds every probe.
package ramp
