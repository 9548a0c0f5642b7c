package main

const description = `kbench measures Kafka producers: how fast, how late, at what price, and whether every record arrived.

  kbench run                                 4 goroutines flat out into an embedded broker, every record verified
  kbench run -b localhost:9092 -r 20k -d 10s an open loop of 20,000 records per second into Apache Kafka
  kbench run --help                          all flags, with examples`

// Help is the long text of kbench run --help.
func (runCmd) Help() string {
	return `Without --brokers, an embedded broker is started in a process of its own. Without
--rate, records are sent as fast as the client takes them (closed loop: throughput
and cost). With --rate they are sent by a timetable (open loop: latency), and
response time counts from the instant at which a record should have been sent.

Examples:

  kbench run                                          nothing to set up: see that it works
  kbench run -n 10M -s 100 --acks 1 --verify none     throughput and CPU per record
  kbench run -r 20k -d 10s --senders 1 --linger 0     latency at a fixed rate
  kbench run -b k1:9092,k2:9092 -t orders -r 200k -s 256 -d 60s --warmup 10s
  kbench run --payload-file orders.ndjson -r 5k       values of your own, one a line
  kbench run -s mix:90%x128,10%x4096 --keys zipf:100k -X max.in.flight.requests.per.connection=1
  kbench run -r 20k -d 10s --slo 'p99(response)<5ms,errors==0' || echo "exit code $?"
  kbench run --procs 4 --senders 2 -b k1:9092 -d 60s    four processes, one result
  kbench run -n 1M --format json 2>/dev/null | jq .latency.service.p99

  kbench run -r 20k -d 60s --fault at=30s,for=5s,kind=blackhole --fault at=50s,kind=reset

--fault puts a proxy between client and brokers: latency:TIME (answers are so much
later), bandwidth:BYTES/s (of each broker's link and direction), reset (connections that
exist; with for= also those that come), blackhole (nothing passes until the end,
connections live), broker-stop (connections are cut, new ones refused). at= counts from
the end of the warm-up; node=N is one broker, without it is all of them. For kring only.

Numbers take k, M, G (thousands) and Ki, Mi, Gi (1024s); a duration without a unit
is seconds, except --linger, which is milliseconds as in Kafka. A --warmup of records
needs a suffix k, M or G, or the word: 10 and 10s are seconds, 10m minutes, 10records records.

Exit codes: 0 ok; 1 unreachable, or records failed; 2 usage; 3 --slo breached;
4 verification failed; 5 measurement invalid; 6 client not available; 130 interrupted.

Every flag can be set as KBENCH_<FLAG>, for example KBENCH_BROKERS.`
}

// Help is the long text of kbench broker --help.
func (brokerCmd) Help() string {
	return `The embedded broker speaks ApiVersions, Metadata, InitProducerId, Produce, ListOffsets
and Fetch. It prints its addresses on one line, comma separated, as --brokers takes them.
With --kind fake it is kfake, the broker of franz-go's tests: it has transactions, groups
and Kafka's checks of sequences and epochs, and says whether a client is right, not how fast.

Examples:

  kbench broker --addr 127.0.0.1:9092 --partitions 12
  kbench broker --addr 127.0.0.1:0 --brokers 3 --verify full --keep 256MiB
  kbench broker --kind fake --addr 127.0.0.1:0 --brokers 3
  kbench broker --addr 127.0.0.1:9092 --delay 2ms        # a network of that round trip`
}
