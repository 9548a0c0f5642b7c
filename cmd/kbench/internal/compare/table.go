package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteJSON prints kbench.compare/v1.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// table is cells that can be written in several ways.
type table struct {
	head []string
	body [][]string
}

// scenario is one scenario's table.
func (r *Report) scenario(s *ScenarioReport) table {
	t := table{head: []string{"client"}}
	for _, c := range s.Clients {
		if len(t.head) == 1 && len(c.Rows) > 0 {
			for _, row := range c.Rows {
				t.head = append(t.head, row.Title)
				if !c.Wide() {
					t.head = append(t.head, "±", "×", "p")
				}
			}
			t.head = append(t.head, "n", "others", "version")
		}
	}
	for _, c := range s.Clients {
		if c.Failed != "" {
			t.body = append(t.body, []string{c.Name, c.Failed})
			continue
		}
		cells := []string{c.Name}
		for i := range c.Rows {
			if row := &c.Rows[i]; c.Wide() {
				cells = append(cells, row.Cell())
			} else {
				cells = append(cells, row.text, row.Spread.Percent(), row.Ratio.Text(3), row.Significance())
			}
		}
		t.body = append(t.body, append(cells, c.RunsCell(), c.Others.Percent(), c.Version))
	}
	for _, skip := range r.Skipped {
		t.body = append(t.body, []string{skip.Client, "skipped"})
	}
	return t
}

// RunsCell is how many runs there are in one cell: 5, 1 invalid, 3 repeated.
func (c *ClientReport) RunsCell() string {
	text := fmt.Sprint(c.Runs)
	if c.Invalid > 0 {
		text += fmt.Sprintf(", %d invalid", c.Invalid)
	}
	if c.Repeated > 0 {
		text += fmt.Sprintf(", %d repeated", c.Repeated)
	}
	return text
}

// Wide reports whether there are too many metrics for a column of each of their
// properties.
func (c *ClientReport) Wide() bool { return len(c.Rows) > 5 }

// Cell is a row in one cell: 41.2 MiB ± 3 % (0.25 better).
func (row *Row) Cell() string {
	if !row.Median.known() {
		return "n/a"
	}
	text := row.text
	if row.Spread.known() {
		text += " ± " + row.Spread.Percent()
	}
	if row.Verdict != "" {
		text += " (" + strings.TrimSpace(row.Ratio.Text(2)+" "+row.Verdict) + ")"
	}
	return text
}

// Significance is what the U test says of a row.
func (row *Row) Significance() string {
	if !row.Adjusted.known() || row.Verdict == "" {
		return "–"
	}
	return row.Adjusted.Text(3) + " " + row.Verdict
}

// WriteText prints the comparison for people.
func (r *Report) WriteText(w io.Writer) error {
	return r.write(w, "\n%s: %s\n", func(t table) error {
		out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, strings.Join(t.head, "\t"))
		for _, cells := range t.body {
			fmt.Fprintln(out, strings.Join(cells, "\t"))
		}
		return out.Flush()
	})
}

// WriteMarkdown prints it for a page.
func (r *Report) WriteMarkdown(w io.Writer) error {
	return r.write(w, "\n### %s: %s\n\n", func(t table) error {
		fmt.Fprintf(w, "| %s |\n|---|%s\n", strings.Join(t.head, " | "), strings.Repeat("--:|", len(t.head)-1))
		for _, cells := range t.body {
			fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		}
		_, err := fmt.Fprintln(w)
		return err
	})
}

func (r *Report) write(w io.Writer, title string, show func(table) error) error {
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if s.Of != "" {
			if err := r.writeCurve(w, i, title, show); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(w, title, s.Name, s.About)
		if err := show(r.scenario(s)); err != nil {
			return err
		}
		for _, v := range s.Goals {
			fmt.Fprintf(w, "- goal: %s of %s %s%s; it is %s: %s\n", v.Metric, Subject, v.Want, v.Of(), v.Measured(), v.Outcome())
		}
		if err := r.writeSettings(w, s, show); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\n× is the ratio to %s, the median over the rounds; p is of the Mann-Whitney U test against it, adjusted over a client's metrics.\n", r.Base)
	for _, skip := range r.Skipped {
		fmt.Fprintf(w, "SKIPPED  %s: %s\n", skip.Client, skip.Why)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note     %s\n", note)
	}
	for _, reason := range r.Reasons {
		fmt.Fprintf(w, "INVALID  %s\n", reason)
	}
	if r.Valid {
		fmt.Fprintln(w, "VALID")
	}
	return nil
}

// writeSettings shows what the clients of a scenario were given.
func (r *Report) writeSettings(w io.Writer, s *ScenarioReport, show func(table) error) error {
	fmt.Fprintln(w, "\nSettings, as each client was given them:")
	if r.Defaults {
		fmt.Fprintln(w, "(--defaults: none of them but addresses and topic; the clients do not promise the same)")
	}
	if err := show(parity(s)); err != nil {
		return err
	}
	writeOwnWords(w, s)
	return nil
}
