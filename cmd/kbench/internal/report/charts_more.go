package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/runs"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// logTicks marks powers of ten, and 2 and 5 of them where there are few.
type logTicks struct{}

// Ticks implements plot.Ticker.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	factors := []float64{1, 2, 5}
	if high/low > 1000 {
		factors = factors[:1]
	}
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, f := range factors {
			if v := f * math.Pow(10, e); v >= low*0.999 && v <= high*1.001 {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', -1, 64)})
			}
		}
	}
	return ticks
}

// rateTicks names rates as people do.
type rateTicks struct{}

// Ticks implements plot.Ticker.
func (rateTicks) Ticks(low, high float64) []plot.Tick {
	ticks := logTicks{}.Ticks(low, high)
	for i := range ticks {
		ticks[i].Label = strings.Replace(bench.FormatShort(ticks[i].Value), ".0k", "k", 1)
	}
	return ticks
}

// curveChart is p99 against the offered rate, with a cross where a client is
// saturated.
func curveChart(name, title string, lines []curve) Chart {
	alt := []string{"p99 of response time against the offered rate."}
	for _, c := range lines {
		for _, point := range c.Points {
			end := ""
			if c.saturatedAt(point) {
				end = ", saturated"
			}
			alt = append(alt, fmt.Sprintf("%s at %s/s: %s%s.", c.Client, bench.FormatShort(point[0]), bench.FormatNanos(int64(point[1]*1e6)), end))
		}
	}
	return Chart{Name: name, Alt: strings.Join(alt, " "), draw: func(t theme) (*plot.Plot, error) {
		p := newPlot(t, title, "records per second (×: saturated)", "ms")
		p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
		p.X.Tick.Marker, p.Y.Tick.Marker = rateTicks{}, logTicks{}
		p.Legend.Top, p.Legend.Left = true, true
		for i, c := range lines {
			var points, ends plotter.XYs
			for _, point := range c.Points {
				points = append(points, plotter.XY{X: point[0], Y: point[1]})
				if c.saturatedAt(point) {
					ends = append(ends, plotter.XY{X: point[0], Y: point[1]})
				}
			}
			if err := addLine(p, t, i, c.Client, points, true); err != nil {
				return nil, err
			}
			if err := addCrosses(p, t, i, ends); err != nil {
				return nil, err
			}
		}
		roomForLegend(p, len(lines))
		return p, nil
	}}
}

// cross is a glyph that is seen on top of a line.
type cross struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (cross) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: vg.Points(2.2)})
	for _, side := range []vg.Length{-1, 1} {
		var line vg.Path
		line.Move(vg.Point{X: at.X - style.Radius, Y: at.Y - side*style.Radius})
		line.Line(vg.Point{X: at.X + style.Radius, Y: at.Y + side*style.Radius})
		c.Stroke(line)
	}
}

// addCrosses marks points of a client's line.
func addCrosses(p *plot.Plot, t theme, i int, points plotter.XYs) error {
	if len(points) == 0 {
		return nil
	}
	crosses, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	crosses.Color, crosses.Shape, crosses.Radius = t.series[i%len(t.series)], cross{}, vg.Points(5)
	p.Add(crosses)
	return nil
}

// costChart is the processor time per record, from zero.
func costChart(groups []*runs.Group) Chart {
	alt := []string{"Processor time per record."}
	var names []string
	var values plotter.Values
	for _, g := range groups {
		var list []float64
		for _, r := range g.Runs {
			list = append(list, r.Result.Cost.CPUPerRecordNs)
		}
		names, values = append(names, barName(groups, g)), append(values, middle(list))
		alt = append(alt, fmt.Sprintf("%s, %s: %.0f ns.", g.Client, g.Workload, middle(list)))
	}
	return Chart{Name: "cpu", Alt: strings.Join(alt, " "), draw: func(t theme) (*plot.Plot, error) {
		return barPlot(t, "Processor time per record", names, values)
	}}
}

// barPlot is a bar per name, in nanoseconds from zero.
func barPlot(t theme, title string, names []string, values plotter.Values) (*plot.Plot, error) {
	p := newPlot(t, title, "", "ns")
	p.Y.Min = 0
	for i, v := range values {
		bar, err := plotter.NewBarChart(plotter.Values{v}, vg.Points(28))
		if err != nil {
			return nil, err
		}
		bar.XMin, bar.Color = float64(i), t.series[i%len(t.series)]
		bar.LineStyle.Width = 0
		p.Add(bar)
		label, err := plotter.NewLabels(plotter.XYLabels{
			XYs: plotter.XYs{{X: float64(i), Y: v}}, Labels: []string{strconv.FormatFloat(v, 'f', 0, 64)},
		})
		if err != nil {
			return nil, err
		}
		label.TextStyle[0].Color, label.TextStyle[0].XAlign = t.ink, -0.5
		p.Add(label)
	}
	p.NominalX(names...)
	p.Y.Max *= 1.08 // Room for the number on the highest bar.
	p.X.Min, p.X.Max = -0.6, float64(len(values))-0.4
	return p, nil
}

// barName is the client's, with what was asked of it where one client has
// several bars.
func barName(groups []*runs.Group, g *runs.Group) string {
	bars := 0
	for _, other := range groups {
		if other.Client == g.Client {
			bars++
		}
	}
	if bars == 1 {
		return g.Client
	}
	what, _, _ := strings.Cut(g.Workload, ",")
	return g.Client + " " + what
}
