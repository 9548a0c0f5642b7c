// Command librdkafka drives librdkafka through confluent-kafka-go as its experts
// would: Produce with an opaque, one goroutine that reads the events, no copies
// of keys and values in delivery reports.
//
//	Produce ─► cgo ─► librdkafka's queue ─► its threads ─► broker
//	done ◄── goroutine ◄── Events() ◄── poller ◄── delivery reports
//
// The binding brings librdkafka along as a static library, of dozens of
// megabytes: hence a module of its own. Without cgo the program says so and
// ends with the exit code for clients that are not available.
package main
