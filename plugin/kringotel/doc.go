// Package kringotel traces and measures what a kring producer sends, with
// OpenTelemetry's API and its conventions for messaging.
//
//	Produce(ctx) ─► Wrapper ─────────────────────────► *kring.Producer
//	                  │ ctx sampled? start the span         │
//	                  │              inject into headers    │
//	                  │ metrics on?  read the clock         │
//	                  ▼                                     │
//	               Callback ◄── end the span, record ◄──────┘
//
//	w, err := kringotel.Wrap(p, kringotel.ClientID("shop"))
//	if err != nil {
//		return err
//	}
//	err = w.Produce(ctx, kring.Record{Topic: "orders", Value: body}, done)
//
// Everything else, Flush and Close included, stays with the producer.
//
// # Spans
//
// A record that is produced under a sampled span gets a span of its own, "send
// orders" of kind PRODUCER, from the call to the outcome, and carries its context
// in its headers (traceparent is 66 bytes in the record, before compression).
// Other records get neither, and cost nothing: no allocation, no header.
// RootSpans and PropagateUnsampled change that.
//
//	messaging.system                    kafka
//	messaging.operation.name            send
//	messaging.operation.type            send
//	messaging.destination.name          the topic
//	messaging.client.id                 if ClientID was given
//	server.address, server.port         if Server was given
//	messaging.kafka.message.key         if RecordKeys was given and the record has one
//	messaging.kafka.message.tombstone   true, if the value is nil
//	messaging.destination.partition.id  at the end: where the record went
//	messaging.kafka.offset              at the end, if it is known
//	error.type                          at the end, if it failed
//	kring.certainty                     at the end, if an accepted record failed
//
// error.type is Kafka's name of the code, such as NOT_LEADER_OR_FOLLOWER; else
// the name of kring's error, such as kring.ErrDeliveryTimeout; else _OTHER.
//
// # Metrics
//
//	messaging.client.operation.duration  histogram, s: from the call to the outcome
//	messaging.client.sent.messages       counter: accepted records with an outcome
//
// Both have messaging.system, messaging.operation.name,
// messaging.destination.name, the server's attributes, and error.type on failure;
// the first also messaging.operation.type. There is no label for the partition:
// a topic may have thousands. Refused calls count in the duration only.
//
// The buckets begin at 100 µs, where those of the convention begin at 5 ms and
// show nothing of a producer that answers in less. An exponential histogram is
// better still, and a view of the SDK turns it on:
//
//	sdkmetric.NewView(
//		sdkmetric.Instrument{Name: "messaging.client.operation.duration"},
//		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}},
//	)
//
// Measuring reads the clock twice per record, which is dear beside a Produce of
// some 100 ns. Without a MeterProvider nothing is read or recorded.
//
// # Statistics
//
// A Source shows what the producer counts and measures anyway, at no cost per
// record, to a reader of the SDK:
//
//	source, err := kringotel.NewSource(p, kringotel.ClientID("shop"))
//	if err != nil {
//		return err
//	}
//	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithProducer(source))
//
//	messaging.client.sent.messages   counter, without a topic; failed: error.type=_OTHER
//	kring.producer.stage.duration    histogram, s, by kring.stage: fill, queue, write, ack, callback
//	kring.producer.*                 the rest of kring.Stats
//
// It has no messaging.client.operation.duration: that is of single records, from
// the call on, and kring measures batches and requests. A program that has both a
// Source and a Wrapper would count its messages twice; give the Wrapper
// MeterProvider(noop.NewMeterProvider()).
//
// # Conventions
//
// The names are those of the semantic conventions 1.43, of which those for
// messaging are still in development. There was no earlier set of names here, so
// OTEL_SEMCONV_STABILITY_OPT_IN has nothing to choose from.
package kringotel
