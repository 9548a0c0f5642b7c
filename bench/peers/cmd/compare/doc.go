// Command compare measures clients beside each other: each client is a worker
// program of this module, all are given the same plan, and they run in turn,
// round after round, so that what the machine does meanwhile hits all of them.
//
//	go run ./cmd/compare -scenario partitioned -runs 5
//
//	go run ./cmd/compare -clients kring,sarama,kafka-go,librdkafka,java
//
//	build workers ─► broker (a process of its own, or -b) ─► topic
//	   round 1: kring, franz-go, rawlimit, …   each: warm-up, measured phase
//	   round 2: kring, franz-go, rawlimit, …
//	        ▼
//	medians, spread ─► table (Markdown), goals ─► bench/results/DATE-NAME.json
//
// librdkafka needs cgo, and java a JDK 17 and Maven; without them their rows say
// "not available". In the JSON a number that is not known, or infinite, is null.
//
// A ratio is the median of the rounds' ratios, because two runs of the same
// round have met the same machine.
package main
