// Package otlp encodes metrics as OpenTelemetry's MetricsData in protobuf, the
// payload of Kafka's PushTelemetry (KIP-714). It writes the dozen fields that a
// producer needs, by hand: the generated code would bring protobuf into every
// program that uses kring.
//
//	MetricsData
//	└─ 1 ResourceMetrics
//	   ├─ 1 Resource ── 1 KeyValue...
//	   └─ 2 ScopeMetrics
//	      ├─ 1 InstrumentationScope: 1 name, 2 version
//	      └─ 2 Metric: 1 name, 3 unit
//	         ├─ 5 Gauge ── 1 NumberDataPoint: 4 double
//	         └─ 7 Sum   ── 1 NumberDataPoint: 6 int, or 4 double
//	                       2 temporality, 3 monotonic
//
// The nested module tests decodes the result with OpenTelemetry's own code.
package otlp
