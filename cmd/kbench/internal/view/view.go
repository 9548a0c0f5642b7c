package view

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kring-go/kring/bench"
)

// View is a panel of a few lines; it implements bench.View.
type View struct {
	Out io.Writer
	// Color permits colours; without, the panel is drawn with text alone.
	Color bool
	// Width is the number of columns now; 0 is not known.
	Width func() int
	// Title is what runs, on one line.
	Title string
	// Length is how long the run takes, warm-up included; 0 is not known.
	Length time.Duration

	drawn int // lines of the last tick, above the cursor
}

// Escape sequences that every terminal of today understands.
const (
	clearLine = "\x1b[K"
	clearDown = "\x1b[J"
	bold      = "\x1b[1m"
	dim       = "\x1b[2m"
	red       = "\x1b[31m"
	plain     = "\x1b[0m"
)

const (
	barWidth     = 24
	defaultWidth = 80
)

// span is text in one colour.
type span struct{ style, text string }

// Show draws the panel over the last one.
func (v *View) Show(t bench.Tick) {
	lines := v.lines(&t)
	var b strings.Builder
	v.rewind(&b)
	width := defaultWidth
	if v.Width != nil {
		if w := v.Width(); w > 0 {
			width = w
		}
	}
	for _, line := range lines {
		// A line that wraps would be two, of which only one is drawn over.
		v.write(&b, line, width-1)
		b.WriteString(clearLine + "\n")
	}
	b.WriteString(clearDown)
	v.drawn = len(lines)
	v.send(b.String())
}

// End takes the panel away.
func (v *View) End() {
	if v.drawn == 0 {
		return
	}
	var b strings.Builder
	v.rewind(&b)
	b.WriteString(clearDown)
	v.drawn = 0
	v.send(b.String())
}

// send writes at once, so that no half panel is ever seen. A terminal that is
// gone is no reason to stop measuring.
func (v *View) send(text string) { _, _ = io.WriteString(v.Out, text) }

// rewind goes to the panel's first column.
func (v *View) rewind(b *strings.Builder) {
	b.WriteByte('\r')
	if v.drawn > 0 {
		fmt.Fprintf(b, "\x1b[%dA", v.drawn)
	}
}

// write is a line, cut to the width.
func (v *View) write(b *strings.Builder, line []span, width int) {
	for _, s := range line {
		text := s.text
		if n := utf8.RuneCountInString(text); n > width {
			text = string([]rune(text)[:max(width, 0)])
		}
		width -= utf8.RuneCountInString(text)
		if v.Color && s.style != "" && text != "" {
			text = s.style + text + plain
		}
		b.WriteString(text)
	}
}

// lines is the panel.
func (v *View) lines(t *bench.Tick) [][]span {
	label := func(name string) span { return span{dim, fmt.Sprintf(" %-9s", name)} }
	status := fmt.Sprintf("  %s", t.At.Round(time.Second))
	if v.Length > 0 {
		status += fmt.Sprintf(" of %v  %s", v.Length, bar(float64(t.At)/float64(v.Length)))
	}
	if t.Phase != "run" {
		status += "  " + t.Phase
	}
	if t.Fault != "" {
		status += "  " + t.Fault
	}
	latency := []span{
		label(t.Headline),
		{"", "p50 " + pad(bench.FormatNanos(t.P50)) + "  p99 "},
		{bold, pad(bench.FormatNanos(t.P99))},
		{"", "  p99.9 " + pad(bench.FormatNanos(t.P999)) + "  "},
		{dim, bench.Sparkline(t.Marks)},
	}
	buffer := fmt.Sprintf("%s records under way", bench.FormatCount(max(t.InFlight, 0)))
	if t.Buffer >= 0 {
		buffer = fmt.Sprintf("%3.0f %% full   %s", 100*t.Buffer, buffer)
	}
	machine := fmt.Sprintf("%.2f processors", t.CPU)
	if t.Open {
		machine += "   lag p99 " + bench.FormatNanos(t.Lag)
	}
	wrong := span{"", "0"}
	if t.Failed > 0 {
		wrong = span{red, bench.FormatCount(int64(t.Failed)) + " records failed"}
	}
	return [][]span{
		{{bold, " " + v.Title}, {"", status}},
		{
			label("rate"),
			{bold, pad(bench.FormatShort(t.Rate)) + " rec/s"},
			{"", "   " + bench.FormatBytes(t.Bytes) + "/s   " + bench.FormatCount(int64(t.Acked)) + " acked  "},
			{dim, bench.Sparkline(t.Rates)},
		},
		latency,
		{label("buffer"), {"", buffer}},
		{label("kbench"), {"", machine}},
		{label("errors"), wrong},
	}
}

// pad keeps columns in place while digits come and go.
func pad(s string) string { return fmt.Sprintf("%8s", s) }

// bar is how much of the run is done.
func bar(share float64) string {
	full := int(min(1, max(0, share)) * barWidth)
	return "[" + strings.Repeat("█", full) + strings.Repeat("░", barWidth-full) + "]"
}
