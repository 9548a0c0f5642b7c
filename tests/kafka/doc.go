// Package kafka holds the tests against Apache Kafka itself; they have the
// build tag "kafka" and are what make test-kafka runs.
//
//	rig        one or three nodes of Apache Kafka on this machine, and a KDC
//	senders    the producers under test, behind ledger.Sender
//	readback   foreign consumers: franz-go and Java's
//	txnbook    what transactional producers said, and what committed readers saw
//	matrix     what was observed with each release of Apache Kafka
//	../ledger  what was sent, what was said about it, what is in the log
//
// A test lets ledger.Drive send a plan through a sender, reads the topic back
// with both consumers, holds each to the book, and lets DumpLogSegments look at
// the files.
//
//	KRING_KAFKA=host:port,…  use this cluster; else one is started
//	-client kring|franz-go   the producer under test
//	-records N               size of the bulk tests; 5000000 is the full one
//	-seed N                  repeat the records of a run (not their timing)
//	-kills N                 kills of the endurance test of transactions; 100 is the full one
//	-txn-level N             its transaction.version, 0 to 2
//	-matrix R,…              releases for TestMatrix; see package matrix
//	-kill-clients a,b        compare response times while leaders are killed
package kafka
