package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// hlogFacts is a comment line of ours, which other readers skip: what merging
// needs to know and the format has no place for.
const hlogFacts = "[kbench %s sampled=%d overflow=%d max=%d]"

// hlogWriter writes HdrHistogram's interval log: V2 encoded, one line per
// interval and distribution, tagged with the distribution's name.
type hlogWriter struct {
	log  *hdrhistogram.HistogramLogWriter
	base time.Time
}

func newHlogWriter(w io.Writer, started time.Time) (*hlogWriter, error) {
	// The format writes the base in whole seconds.
	h := &hlogWriter{log: hdrhistogram.NewHistogramLogWriter(w), base: started.Truncate(time.Second)}
	h.log.SetBaseTime(h.base.UnixMilli())
	return h, errors.Join(
		h.log.OutputComment("[Logged with kbench "+Version()+"]"),
		h.log.OutputLogFormatVersion(),
		h.log.OutputStartTime(h.base.UnixMilli()),
		h.log.OutputBaseTime(h.base.UnixMilli()),
	)
}

// facts must come before the first interval.
func (h *hlogWriter) facts(d *Distribution) error {
	return h.log.OutputComment(fmt.Sprintf(hlogFacts, d.Name, d.Sampled, d.counts.overflow, d.counts.max))
}

func (h *hlogWriter) interval(i interval) error {
	hdr := i.counts.hdr()
	hdr.SetTag(i.name)
	hdr.SetStartTimeMs(i.from.UnixMilli())
	hdr.SetEndTimeMs(i.to.UnixMilli())
	return h.log.OutputIntervalHistogram(hdr)
}

// WriteHlog writes distributions as one interval each.
func WriteHlog(w io.Writer, from, to time.Time, list []*Distribution) error {
	out := bufio.NewWriter(w)
	h, err := newHlogWriter(out, from)
	for _, d := range list {
		err = errors.Join(err, h.facts(d))
	}
	err = errors.Join(err, h.log.OutputLegend())
	for _, d := range list {
		err = errors.Join(err, h.interval(interval{d.Name, from, to, d.counts}))
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("kbench: writing the histogram log: %w", err)
	}
	return nil
}

// writeHlog writes a run's intervals; without any, the whole run as one.
func writeHlog(w io.Writer, r *Result, log *intervalLog) error {
	list, err := r.Distributions()
	if err != nil {
		return err
	}
	if log == nil || log.taken == 0 {
		from, err := time.Parse(time.RFC3339, r.Started)
		if err != nil {
			return fmt.Errorf("kbench: the result's start: %w", err)
		}
		return WriteHlog(w, from, from.Add(time.Duration(r.Workload.WarmupNs+r.Workload.DurationNs)), list)
	}
	out := bufio.NewWriter(w)
	h, err := newHlogWriter(out, log.started)
	for _, d := range list {
		err = errors.Join(err, h.facts(d))
	}
	if err = errors.Join(err, h.log.OutputLegend(), log.each(h.interval), out.Flush()); err != nil {
		return fmt.Errorf("kbench: writing the histogram log: %w", err)
	}
	return nil
}

// HlogSpan is the time that a histogram log covers.
type HlogSpan struct{ From, To time.Time }

// ReadHlog merges the intervals of a histogram log, by tag. Lines without a tag
// are one distribution named "untagged".
func ReadHlog(r io.Reader) ([]*Distribution, HlogSpan, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, HlogSpan{}, err
	}
	var list []*Distribution
	named := func(name string) *Distribution {
		for _, d := range list {
			if d.Name == name {
				return d
			}
		}
		list = append(list, NewDistribution(name, 0))
		return list[len(list)-1]
	}
	var span HlogSpan
	log := hdrhistogram.NewHistogramLogReader(bytes.NewReader(text))
	for {
		h, err := log.NextIntervalHistogram()
		if err != nil {
			return nil, span, fmt.Errorf("not a histogram log: %w", err)
		}
		if h == nil {
			break
		}
		name := h.Tag()
		if name == "" {
			name = "untagged"
		}
		if err := named(name).counts.addHDR(h); err != nil {
			return nil, span, err
		}
		span = span.with(time.UnixMilli(h.StartTimeMs()), time.UnixMilli(h.EndTimeMs()))
	}
	if len(list) == 0 {
		return nil, span, errors.New("there is no interval of a histogram log in it")
	}
	return list, span, readFacts(string(text), named)
}

// readFacts applies our comment lines.
func readFacts(text string, named func(string) *Distribution) error {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#[kbench ") {
			continue
		}
		var name string
		var sampled uint32
		var overflow uint64
		var highest int64
		if _, err := fmt.Sscanf(strings.TrimPrefix(line, "#"), hlogFacts, &name, &sampled, &overflow, &highest); err != nil {
			return fmt.Errorf("the line %q is not as kbench writes it: %w", strings.TrimSpace(line), err)
		}
		d := named(name)
		d.Sampled = sampled
		d.counts.overflow += overflow
		d.counts.n += overflow
		d.counts.max = highest
	}
	return nil
}

// with is the span that covers s and another.
func (s HlogSpan) with(from, to time.Time) HlogSpan {
	if s.From.IsZero() || from.Before(s.From) {
		s.From = from
	}
	if to.After(s.To) {
		s.To = to
	}
	return s
}

// Union covers both spans.
func (s HlogSpan) Union(o HlogSpan) HlogSpan {
	if o.From.IsZero() {
		return s
	}
	return s.with(o.From, o.To)
}
