package otlp

import "time"

// Attribute is a name and a text.
type Attribute struct{ Key, Value string }

// Data is the metrics of one process at one time.
type Data struct {
	Resource             []Attribute
	ScopeName, ScopeVers string
	Metrics              []Metric
}

// Metric is one family. A sum is a counter: it only grows, and its points are
// whole numbers unless it is a Float. Anything else is a gauge.
type Metric struct {
	Name, Unit string
	Sum        bool
	Float      bool // of a sum: its points have Values
	Delta      bool // of a sum: points count since Start, and not since the beginning
	Points     []Point
}

// Point is one number of a family.
type Point struct {
	Attributes  []Attribute
	Start, Time time.Time
	Count       int64   // of a sum
	Value       float64 // of a gauge, and of a Float
}

// OpenTelemetry's numbers for the temporality of a sum.
const (
	temporalityDelta      = 1
	temporalityCumulative = 2
)

// Append appends the message to dst.
func (d *Data) Append(dst []byte) []byte {
	return message(dst, 1, func(dst []byte) []byte {
		dst = message(dst, 1, func(dst []byte) []byte { return attributes(dst, 1, d.Resource) })
		return message(dst, 2, func(dst []byte) []byte {
			dst = message(dst, 1, func(dst []byte) []byte {
				return text(text(dst, 1, d.ScopeName), 2, d.ScopeVers)
			})
			for i := range d.Metrics {
				dst = message(dst, 2, d.Metrics[i].append)
			}
			return dst
		})
	})
}

func (m *Metric) append(dst []byte) []byte {
	dst = text(dst, 1, m.Name)
	dst = text(dst, 3, m.Unit)
	if !m.Sum {
		return message(dst, 5, m.points)
	}
	return message(dst, 7, func(dst []byte) []byte {
		dst = m.points(dst)
		temporality := uint64(temporalityCumulative)
		if m.Delta {
			temporality = temporalityDelta
		}
		return varint(varint(dst, 2, temporality), 3, 1)
	})
}

func (m *Metric) points(dst []byte) []byte {
	for i := range m.Points {
		dst = message(dst, 1, func(dst []byte) []byte { return m.Points[i].append(dst, m.Sum && !m.Float) })
	}
	return dst
}

func (p *Point) append(dst []byte, whole bool) []byte {
	dst = fixed64(dst, 2, uint64(p.Start.UnixNano()))
	dst = fixed64(dst, 3, uint64(p.Time.UnixNano()))
	if whole {
		dst = fixed64(dst, 6, uint64(p.Count))
	} else {
		dst = double(dst, 4, p.Value)
	}
	return attributes(dst, 7, p.Attributes)
}

func attributes(dst []byte, number int, list []Attribute) []byte {
	for _, a := range list {
		dst = message(dst, number, func(dst []byte) []byte {
			dst = text(dst, 1, a.Key)
			return message(dst, 2, func(dst []byte) []byte { return text(dst, 1, a.Value) })
		})
	}
	return dst
}
