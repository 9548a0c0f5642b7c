// Package bench measures Kafka producers: any library's, all in the same way.
//
//	Config ─► Execute ─┬─► target: embedded broker (a child process), or a topic of a cluster
//	  (plan)           │
//	                   ├─► Run ──────────────────────────────────────────────┐
//	                   │    sender 0 ─┐ source: keys, values, stamps          │
//	                   │    sender 1 ─┼──► Client.Produce ──► library ──► broker
//	                   │    sender n ─┘                          │            │
//	                   │    recorder ◄── done(tag, partition, offset, err) ◄─┘│
//	                   │      shards: counters, histograms; digests, bitmaps  │
//	                   │    progress reads shards once per interval           │
//	                   │    tail, with --e2e: reads the topic meanwhile       │
//	                   │    meter: CPU, allocations, GC, switches, of the window
//	                   ├─► verify: what is in the log against the Ledger
//	                   └─► Result (kbench.result/v1), judged ─► table or JSON, exit code
//
// # Open and closed loop
//
// A closed loop sends as fast as Produce returns: its results are throughput
// and cost, and its service time is only the depth of the queue. An open loop
// sends by an absolute timetable, record n at n/rate or about then (Arrival),
// whatever the client does, and sends everything that is due at once; its
// headline is response time, from the intended instant to the acknowledgement,
// so a stall is charged for every record that was due meanwhile. The intended
// instant is computed from the tag, never stored, so no stall can overwrite it.
//
// # Phases
//
//	launch ── warm-up ──┬── window: cost, rate, profiles ──┬── drain ── close
//	                    │ measured records are those sent  │ all of them are
//	                    │ from here on                     │ waited for
//
// The window of a flat-out run that ends by time closes with the last record
// sent: what is buffered then was buffered at its start too. Otherwise it
// closes when everything is acknowledged. A warm-up by count is a time where a
// timetable tells it; elsewhere it ends with the sender that sends its last one.
//
// # Ownership
//
//	sender         its goroutine; publishes its counters every 64 records
//	shard          first part: written by its sender; second part: by whoever
//	               calls done, with atomics; third part: set before the run
//	hist           atomics; shared by the senders of a group
//	Record, value  the sender's; a Retaining client gets a slot that is not
//	               used again before its record is done
//	source, pool   read only, apart from the stamps over a sender's own values
//	fileValues     read only; a PayloadFile's go to clients as they are
//	Verifier       a partition belongs to one goroutine at a time
//	team           immutable: sender i keeps to client i modulo their number
//	tail           its goroutines, one for each broker; they write to hists only
//
// A record costs the harness no allocation, no lock, and, flat out, no reading
// of the clock but for one in 61 records. What it costs is BenchmarkHarness.
//
// # Shards
//
// Several machines make one run (see Shard): each has the whole plan, sends the
// records of its own senders, and begins at the plan's wall-clock start. Inside
// a process senders count from 0; in the timetable, in stamps, keys and ledgers
// they have their numbers among all. MergeShards makes one result of theirs.
// Procs are shards on one machine, started, merged and verified by Execute.
//
// # Faults
//
// With --fault every connection of the client leads through a proxy in this
// process (package fault), by Settings.Dial; faultRun begins and ends the faults
// by the run's clock, and the result's events say when. What the harness asks
// for itself, topics, offsets and reading back, e2e too, goes past the proxy.
//
// # Workers
//
// Other libraries are programs of their own, so that none pays for another's
// heap: WorkerMain makes one of a Factory. It gets the plan as JSON and prints
// the result with its Ledger; Execute verifies, whoever drove the client.
package bench
