package diff

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteText prints the comparison for people.
func (r *Report) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "metric\told\t\tnew\t\tchange\tratio\tp (U test, n=%d+%d)\t\n", r.NOld, r.NNew)
	for _, row := range r.Rows {
		fmt.Fprintf(table, "%s\t%s\t±%s\t%s\t±%s\t%s\t%.3f\t%.3f\t%s\n", row.Title, row.OldText, row.OldRange,
			row.NewText, row.NewRange, row.change(), row.Ratio, row.Adjusted, shown(row.Verdict))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "note    %s\n", note)
	}
	for _, breach := range r.Breaches {
		fmt.Fprintf(w, "FAILED  %s\n", breach)
	}
	if !r.Found() {
		fmt.Fprintf(w, "no significant difference at alpha %v\n", r.Alpha)
	}
	return nil
}

// change is the delta where there is one to speak of.
func (r *Row) change() string {
	if r.Verdict == Same {
		return Same
	}
	return r.Delta()
}

// shown leaves out what the change column has said already.
func shown(verdict string) string {
	if verdict == Same {
		return ""
	}
	return verdict
}

// WriteMarkdown prints the comparison as a table for a page.
func (r *Report) WriteMarkdown(w io.Writer) error {
	fmt.Fprintf(w, "| metric | old | new | change | ratio | p (U test, n=%d+%d) | |\n|---|--:|--:|--:|--:|--:|---|\n", r.NOld, r.NNew)
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %s | %s ±%s | %s ±%s | %s | %.3f | %.3f | %s |\n", row.Title, row.OldText, row.OldRange,
			row.NewText, row.NewRange, row.change(), row.Ratio, row.Adjusted, shown(row.Verdict))
	}
	return nil
}
