package cluster

const (
	keyGetTelemetrySubscriptions = 71
	keyPushTelemetry             = 72

	newestTelemetry = 0 // of both
)

// telemetryShapeOf is shapeOf for what a Telemetry asks.
func telemetryShapeOf(key int16) (shape, bool) {
	switch key {
	case keyGetTelemetrySubscriptions:
		return shape{fields: []field{
			fixed(int32Size),       // throttle
			fixed(int16Size),       // error code
			fixed(uuidSize),        // client instance
			fixed(int32Size),       // subscription
			array(fixed(int8Size)), // compression types
			fixed(int32Size),       // push interval
			fixed(int32Size),       // most bytes
			fixed(int8Size),        // delta temporality
			array(text()),          // metrics
		}}, true
	case keyPushTelemetry:
		return shape{fields: []field{fixed(int32Size), fixed(int16Size)}}, true
	}
	return shape{}, false
}
