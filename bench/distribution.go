package bench

import (
	"errors"
	"fmt"
	"io"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// DistributionNames are the distributions that a histogram log holds, in the
// order in which they are printed.
func DistributionNames() []string { return []string{"response", "service", "call", "lag", "e2e"} }

// Distribution is one latency distribution with all of its counts, of one run
// or of several merged. Percentiles come from the counts, never from other
// percentiles.
type Distribution struct {
	Name    string
	Sampled uint32 // one in so many; 0 where it is not known
	counts  *snapshot
}

// NewDistribution is an empty one.
func NewDistribution(name string, sampled uint32) *Distribution {
	return &Distribution{Name: name, Sampled: sampled, counts: newSnapshot()}
}

// Record adds one value in nanoseconds. Values above 60 s are counted as
// overflow, never clamped.
func (d *Distribution) Record(ns int64) {
	ns = max(ns, 0)
	d.counts.n++
	d.counts.max = max(d.counts.max, ns)
	if ns > histMax {
		d.counts.overflow++
		return
	}
	d.counts.counts[histIndex(ns)]++
}

// Merge adds the counts of o. What was sampled differently can not be added:
// one value would stand for more records than another.
func (d *Distribution) Merge(o *Distribution) error {
	if d.Sampled == 0 || d.counts.n == 0 {
		d.Sampled = o.Sampled
	}
	if o.Sampled != 0 && o.counts.n > 0 && o.Sampled != d.Sampled {
		return fmt.Errorf("kbench: %s can not be merged: one in %d records was timed in some, one in %d in others; repeat the runs with one --latency-sample",
			d.Name, d.Sampled, o.Sampled)
	}
	for i, c := range o.counts.counts {
		d.counts.counts[i] += c
	}
	d.counts.n += o.counts.n
	d.counts.overflow += o.counts.overflow
	d.counts.max = max(d.counts.max, o.counts.max)
	return nil
}

// Count is how many values it holds, those above 60 s included.
func (d *Distribution) Count() uint64 { return d.counts.n }

// Quantile is the value in nanoseconds below which a share q of 0 to 1 lies.
func (d *Distribution) Quantile(q float64) int64 { return d.counts.quantileSince(nil, q) }

// Latency summarises it; nil when it is empty.
func (d *Distribution) Latency() *Latency { return d.counts.latency(d.Sampled) }

// HDR is the library's form of it, without the values above 60 s.
func (d *Distribution) HDR() *hdrhistogram.Histogram { return d.counts.hdr() }

// Point is one step of a percentile spectrum.
type Point struct {
	Quantile float64 `json:"quantile"` // 0 to 1
	ValueNs  int64   `json:"value_ns"`
	Count    uint64  `json:"count"` // values up to here
}

// Spectrum is the distribution in steps that halve the distance to 1, ticks of
// them each time, as .hgrm files have them.
func (d *Distribution) Spectrum(ticks int32) []Point {
	var points []Point
	for _, b := range d.HDR().CumulativeDistributionWithTicks(ticks) {
		points = append(points, Point{Quantile: b.Quantile / 100, ValueNs: min(b.ValueAt, d.counts.max), Count: uint64(b.Count)})
	}
	return points
}

// WriteHgrm prints the percentile spectrum in milliseconds, as HdrHistogram's
// plotter reads it.
func (d *Distribution) WriteHgrm(w io.Writer) error {
	if _, err := d.HDR().PercentilesPrint(w, 5, 1e6); err != nil {
		return fmt.Errorf("kbench: writing %s.hgrm: %w", d.Name, err)
	}
	return nil
}

// latency summarises the counts; nil when there are none.
func (s *snapshot) latency(sampled uint32) *Latency {
	if s.n == 0 {
		return nil
	}
	l := &Latency{
		Unit: "ns", N: s.n, Sampled: sampled, Min: s.lowest(), Mean: int64(s.mean()), Max: s.max, Overflow: s.overflow,
		P50: s.quantileSince(nil, 0.5), P90: s.quantileSince(nil, 0.9), P99: s.quantileSince(nil, 0.99),
		P999: s.quantileSince(nil, 0.999), P9999: s.quantileSince(nil, 0.9999),
	}
	// Encoding into memory fails only for histograms that can not exist.
	if encoded, err := s.hdr().Encode(hdrhistogram.V2CompressedEncodingCookieBase); err == nil {
		l.HDRv2 = string(encoded)
	}
	return l
}

// errGeometry is a histogram whose counts do not fit ours one to one.
var errGeometry = errors.New("kbench merges histograms of nanoseconds with 3 digits, 1 ns to 60 s, and no others")

// addHDR adds the counts of the library's form.
func (s *snapshot) addHDR(h *hdrhistogram.Histogram) error {
	if h.LowestTrackableValue() != 1 || h.HighestTrackableValue() != histMax || h.SignificantFigures() != histDigits {
		return fmt.Errorf("%w; this one has %d digits, %d to %d", errGeometry, h.SignificantFigures(), h.LowestTrackableValue(), h.HighestTrackableValue())
	}
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			s.counts[histIndex(bar.To)] += uint64(bar.Count)
			s.n += uint64(bar.Count)
			s.max = max(s.max, bar.To)
		}
	}
	return nil
}

// Distribution decodes a summary's histogram.
func (l *Latency) Distribution(name string) (*Distribution, error) {
	d := NewDistribution(name, l.Sampled)
	h, err := hdrhistogram.Decode([]byte(l.HDRv2))
	if err == nil {
		err = d.counts.addHDR(h)
	}
	if err != nil {
		return nil, fmt.Errorf("kbench: the histogram of %s can not be read: %w", name, err)
	}
	d.counts.overflow = l.Overflow
	d.counts.n += l.Overflow
	d.counts.max = l.Max // exact, where the counts are rounded
	return d, nil
}

// ByName is the summary of one of DistributionNames; nil where the run has none.
func (l *Latencies) ByName(name string) *Latency {
	switch name {
	case "response":
		return l.Response
	case "service":
		return l.Service
	case "call":
		return l.Call
	case "lag":
		return l.Lag
	case "e2e":
		return l.E2E
	}
	return nil
}

// Headline is what a run is about: response in an open loop, service in a
// closed one.
func (r *Result) Headline() (name string, l *Latency) {
	if r.Latency.Response != nil {
		return "response", r.Latency.Response
	}
	return "service", r.Latency.Service
}

// Distributions decodes every histogram of a result.
func (r *Result) Distributions() ([]*Distribution, error) {
	var list []*Distribution
	for _, name := range DistributionNames() {
		l := r.Latency.ByName(name)
		if l == nil {
			continue
		}
		d, err := l.Distribution(name)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}
