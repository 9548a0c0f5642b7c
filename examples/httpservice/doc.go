// Command httpservice takes events by HTTP and produces them to Kafka. It shows
// three things that a service with a producer has to get right:
//
//	POST /events ─► handler ─► TryProduce ──► kring ─► Kafka
//	                   ▲           │ buffer full           │
//	                   │           └─► 503, Retry-After    │
//	                   └────────── outcome ◄───────────────┘
//	                       201, or 4xx/5xx with what is known
//
// Back-pressure: when the producer's memory is full the service says so at once,
// instead of letting requests pile up in front of it.
//
// Honest answers: 201 means that the record is in the log. An error says whether
// it may be there all the same, so that the caller knows what a repetition does.
//
// Shutdown: first no new requests, then the outcomes of those under way, then
// the producer. The other way round, requests would fail that were accepted.
package main
