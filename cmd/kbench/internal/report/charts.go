package report

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is one drawing, in a light and a dark form.
type Chart struct {
	Name string // of the files: Name-light.svg and Name-dark.svg
	Alt  string // the numbers, for those who can not see it
	draw func(theme) (*plot.Plot, error)
}

// theme is what differs between light and dark.
type theme struct {
	name        string
	ink, line   color.Color
	background  color.Color
	series      []color.Color
	width, high font.Length
}

// themes use Okabe and Ito's palette, which colour-blind readers can tell apart.
func themes() []theme {
	rgb := func(hex uint32) color.Color {
		return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
	}
	list := func(hex ...uint32) []color.Color {
		var out []color.Color
		for _, h := range hex {
			out = append(out, rgb(h))
		}
		return out
	}
	const width, high = 18 * vg.Centimeter, 9 * vg.Centimeter
	return []theme{
		{
			"light", rgb(0x1b1f24), rgb(0xd0d7de), rgb(0xffffff),
			list(0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0x8a6d00, 0x56b4e9, 0x6b4fa0, 0x000000), width, high,
		},
		{
			"dark", rgb(0xe6edf3), rgb(0x30363d), rgb(0x0d1117),
			list(0x56b4e9, 0xff8c42, 0x2fd6a3, 0xe29fc7, 0xf0e442, 0x8fd0ff, 0xb9a3e8, 0xffffff), width, high,
		},
	}
}

// Charts are what the runs give reason to draw.
func Charts(list []runs.Run) ([]Chart, error) {
	if len(list) == 0 {
		return nil, nil
	}
	groups := runs.Groups(list)
	spectra, err := spectrumChart(groups)
	if err != nil {
		return nil, err
	}
	charts := []Chart{spectra, costChart(groups)}
	if lines := curves(list); len(lines) > 0 {
		charts = append(charts, curveChart("p99-by-rate", "p99 response by offered rate", lines))
	}
	return charts, nil
}

// WriteCharts writes the SVG files of all charts into a folder.
func WriteCharts(dir string, charts []Chart) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range charts {
		for _, t := range themes() {
			text, err := c.svg(t)
			if err != nil {
				return fmt.Errorf("kbench: drawing %s: %w", c.Name, err)
			}
			if err := os.WriteFile(filepath.Join(dir, c.file(t.name)), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckCharts fails where WriteCharts would change something.
func CheckCharts(dir string, charts []Chart) error {
	for _, c := range charts {
		for _, t := range themes() {
			want, err := c.svg(t)
			if err != nil {
				return fmt.Errorf("kbench: drawing %s: %w", c.Name, err)
			}
			name := filepath.Join(dir, c.file(t.name))
			got, err := os.ReadFile(name)
			if err != nil || !bytes.Equal(got, want) {
				return fmt.Errorf("kbench: %s is stale: run kbench report again, without --check", name)
			}
		}
	}
	return nil
}

func (c *Chart) file(theme string) string { return c.Name + "-" + theme + ".svg" }

// svg draws the chart with one theme.
func (c *Chart) svg(t theme) ([]byte, error) {
	p, err := c.draw(t)
	if err != nil {
		return nil, err
	}
	canvas := vgsvg.New(t.width, t.high)
	// The last label of an axis is centred on its end, and needs room there.
	area := draw.New(canvas)
	area.FillPolygon(t.background, area.ClipPolygonXY([]vg.Point{{}, {X: t.width}, {X: t.width, Y: t.high}, {Y: t.high}}))
	p.Draw(draw.Crop(area, vg.Points(8), vg.Points(-26), vg.Points(8), vg.Points(-10)))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return nil, err
	}
	// A title makes the numbers readable aloud, and by pointing at the chart.
	head, rest, ok := strings.Cut(text.String(), "<g ")
	if !ok {
		return nil, fmt.Errorf("the drawing has no group")
	}
	return []byte(head + "<title>" + html.EscapeString(c.Alt) + "</title>\n<g " + rest), nil
}

// newPlot is an empty plot in the theme's colours.
func newPlot(t theme, title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = t.background
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.TextStyle.Color, p.Legend.TextStyle.Color = t.ink, t.ink
	p.Title.Padding = vg.Points(6)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Tick.Color, a.Label.TextStyle.Color, a.Tick.Label.Color = t.ink, t.ink, t.ink, t.ink
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = t.line, t.line
	p.Add(grid)
	return p
}

// addLine draws one client's line, and its name at the line's end.
func addLine(p *plot.Plot, t theme, i int, name string, points plotter.XYs, dots bool) error {
	line, dot, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	c := t.series[i%len(t.series)]
	line.Color, line.Width = c, vg.Points(1.6)
	dot.Color, dot.Shape, dot.Radius = c, draw.CircleGlyph{}, vg.Points(2.5)
	p.Add(line)
	if dots {
		p.Add(dot)
	}
	p.Legend.Add(name, line)
	return nil
}

// spectrumChart is every sample's percentiles, merged over its runs.
func spectrumChart(groups []*runs.Group) (Chart, error) {
	type line struct {
		name   string
		points plotter.XYs
	}
	var lines []line
	alt := []string{"Percentiles of latency."}
	for _, g := range groups {
		d, err := merged(g)
		if err != nil {
			return Chart{}, err
		}
		if d == nil {
			continue
		}
		l := line{name: g.Client + ", " + g.Workload}
		for i, y := range spectrum(d) {
			if y != nil && *y > 0 {
				l.points = append(l.points, plotter.XY{X: nines()[i], Y: *y})
			}
		}
		lines = append(lines, l)
		alt = append(alt, fmt.Sprintf("%s: p50 %s, p99 %s, p99.9 %s.", l.name, bench.FormatNanos(d.Quantile(0.5)),
			bench.FormatNanos(d.Quantile(0.99)), bench.FormatNanos(d.Quantile(0.999))))
	}
	return Chart{Name: "percentiles", Alt: strings.Join(alt, " "), draw: func(t theme) (*plot.Plot, error) {
		p := newPlot(t, "Latency by percentile", "", "ms")
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(nineTicks()), logTicks{}
		p.Legend.Top, p.Legend.Left = true, true
		for i, l := range lines {
			if err := addLine(p, t, i, l.name, l.points, false); err != nil {
				return nil, err
			}
		}
		roomForLegend(p, len(lines))
		return p, nil
	}}, nil
}

// roomForLegend starts the logarithmic y axis at a power of ten, and ends it far enough above
// the lines for their names.
func roomForLegend(p *plot.Plot, lines int) {
	if p.Y.Min <= 0 || p.Y.Max <= 0 {
		return
	}
	low, high := math.Floor(math.Log10(p.Y.Min)), math.Ceil(math.Log10(p.Y.Max))
	high += (high - low) * 0.07 * float64(lines)
	p.Y.Min, p.Y.Max = math.Pow(10, low), math.Pow(10, high)
}

// merged adds up the headline's histograms of a sample; nil without any.
func merged(g *runs.Group) (*bench.Distribution, error) {
	var sum *bench.Distribution
	for _, r := range g.Runs {
		name, l := r.Result.Headline()
		if l == nil {
			continue
		}
		d, err := l.Distribution(name)
		if err == nil && sum != nil {
			err = sum.Merge(d)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Path, err)
		}
		if sum == nil {
			sum = d
		}
	}
	return sum, nil
}

func nineTicks() []plot.Tick {
	ticks := []plot.Tick{{Value: 1, Label: "min"}}
	for i, name := range []string{"p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999"} {
		ticks = append(ticks, plot.Tick{Value: math.Pow(10, float64(i+1)), Label: name})
	}
	return ticks
}
