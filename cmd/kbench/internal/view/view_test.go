package view

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kring-go/kring/bench"
)

// screen is a terminal of which only what View uses works.
type screen struct {
	rows     []string
	row      int
	leftover string
	sgr      int
}

func (s *screen) Write(p []byte) (int, error) {
	text := s.leftover + string(p)
	s.leftover = ""
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= 'A' })
			if end < 0 {
				s.leftover = text
				return len(p), nil
			}
			s.escape(text[2:2+end], text[2+end])
			text = text[3+end:]
			continue
		case text[0] == '\n':
			s.row++
		case text[0] == '\r': // Lines are written from their beginning only.
			if s.row < len(s.rows) {
				s.rows[s.row] = ""
			}
		default:
			for len(s.rows) <= s.row {
				s.rows = append(s.rows, "")
			}
			r, n := utf8.DecodeRuneInString(text)
			s.rows[s.row] += string(r)
			text = text[n:]
			continue
		}
		text = text[1:]
	}
	return len(p), nil
}

func (s *screen) escape(number string, verb byte) {
	switch verb {
	case 'A':
		n := 0
		_, _ = fmt.Sscan(number, &n) // Without a number it stays where it is, and the test fails.
		s.row -= n
		for i := s.row; i < len(s.rows); i++ {
			s.rows[i] = "" // What follows is written over it.
		}
	case 'J':
		s.rows = s.rows[:min(s.row, len(s.rows))]
	case 'm':
		s.sgr++
	}
}

func tick() bench.Tick {
	return bench.Tick{
		At: 12 * time.Second, Phase: "run", Acked: 1234567, InFlight: 4321, Rate: 200_000, Bytes: 48 << 20, CPU: 0.41, Buffer: 0.02,
		Headline: "response", P50: 1_310_000, P99: 2_940_000, P999: 5_100_000, Lag: 120_000, Open: true,
		Rates: []int64{1, 8}, Marks: []int64{8, 1},
	}
}

func TestPanel(t *testing.T) {
	s := &screen{rows: []string{"before"}, row: 1}
	v := &View{Out: s, Width: func() int { return 100 }, Title: "kring", Length: time.Minute}
	v.Show(tick())
	first := len(s.rows)
	late := tick()
	late.Failed, late.Phase, late.Acked = 3, "warm-up", 7_654_321
	v.Show(late)
	text := strings.Join(s.rows, "\n")
	for _, want := range []string{
		"before\n", "kring", "12s of 1m0s  [████░", "200.0k rec/s", "48.0 MiB/s", "7,654,321 acked", "▁█", "response", "1.31ms", "2.94ms", "5.10ms",
		"2 % full", "4,321 records under way", "0.41 processors", "lag p99 120µs", "3 records failed", "warm-up",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the screen:\n%s", want, text)
		}
	}
	if len(s.rows) != first || strings.Contains(text, "1,234,567") {
		t.Errorf("the second panel is not in the place of the first:\n%s", text)
	}
	if s.sgr != 0 {
		t.Errorf("%d colours without permission", s.sgr)
	}
	v.End()
	v.End()
	if len(s.rows) != 1 || s.rows[0] != "before" {
		t.Errorf("left on the screen: %q", s.rows)
	}
}

func TestColourAndWidth(t *testing.T) {
	for _, width := range []int{0, 1, 20, 40, 200} {
		s := &screen{}
		v := &View{Out: s, Color: true, Width: func() int { return width }, Title: "kring"}
		failed := tick()
		failed.Failed = 1
		v.Show(failed)
		limit := width
		if width == 0 {
			limit = defaultWidth
		}
		for _, row := range s.rows {
			if n := utf8.RuneCountInString(row); n >= limit {
				t.Errorf("a line of %d columns on a terminal of %d: %q", n, limit, row)
			}
		}
		if width != 1 && s.sgr == 0 {
			t.Errorf("no colour at a width of %d", width)
		}
	}
	var b bytes.Buffer
	unknown := tick()
	unknown.Buffer, unknown.Open = -1, false
	(&View{Out: &b, Title: "franz"}).Show(unknown)
	if text := b.String(); strings.Contains(text, "% full") || strings.Contains(text, "lag") || strings.Contains(text, " of ") {
		t.Errorf("shows what is not known: %q", text)
	}
}
