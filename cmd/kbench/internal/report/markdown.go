package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kring-go/kring/cmd/kbench/internal/runs"
)

// Blocks of a Markdown file stand between two comments:
//
//	<!-- kbench:begin results bench/results/open-*/ -->
//	<!-- kbench:end results -->
//
// The first word is what the block holds. Patterns after it choose its results,
// relative to the file; without any it shows those that the command names.
const (
	beginMark = "<!-- kbench:begin "
	endMark   = "<!-- kbench:end "
	markClose = " -->"
)

// Markdown is a file whose blocks are generated.
type Markdown struct {
	Path   string
	Runs   []runs.Run // of blocks without patterns
	Charts string     // folder of the SVG files; empty: no charts
	// Drawn are the charts of blocks that name their files, for WriteCharts.
	Drawn []Chart
}

// Update returns the text with every block written anew. A file without any
// block is an error: nothing in it would ever be checked.
func (m *Markdown) Update(text string) (string, error) {
	var out strings.Builder
	blocks := 0
	for rest := text; ; blocks++ {
		before, block, found := strings.Cut(rest, beginMark)
		out.WriteString(before)
		if !found {
			break
		}
		head, body, ok := strings.Cut(block, markClose)
		words := strings.Fields(head)
		if !ok || len(words) == 0 || strings.Contains(head, "\n") {
			return "", fmt.Errorf("kbench: %s: %q is not closed by %q on its line", m.Path, beginMark+firstLine(block), markClose)
		}
		end := endMark + words[0] + markClose
		old, after, ok := strings.Cut(body, end)
		if !ok || strings.Contains(old, beginMark) {
			return "", fmt.Errorf("kbench: %s: the block %s has no %q", m.Path, words[0], end)
		}
		content, err := m.block(words[0], words[1:])
		if err != nil {
			return "", err
		}
		out.WriteString(beginMark + head + markClose + "\n" + content + end)
		rest = after
	}
	if blocks == 0 {
		return "", fmt.Errorf("kbench: %s has no block: write a line %q and below it %q where a table belongs",
			m.Path, beginMark+"results"+markClose, endMark+"results"+markClose)
	}
	return out.String(), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (m *Markdown) block(kind string, patterns []string) (string, error) {
	if slices.Contains(comparisonKinds(), kind) {
		list, err := m.comparisons(kind, patterns)
		if err != nil {
			return "", err
		}
		return m.comparison(kind, list)
	}
	list, err := m.runs(kind, patterns)
	if err != nil {
		return "", err
	}
	groups := runs.Groups(list)
	switch kind {
	case "results":
		return resultsTable(groups), nil
	case "settings":
		return settingsTable(groups), nil
	case "environment":
		return environmentTable(list), nil
	case "commands":
		return commandsTable(list), nil
	case "charts":
		return m.pictures(list)
	}
	return "", fmt.Errorf("kbench: %s: block %q is none of results, settings, environment, commands, charts, %s", m.Path, kind, strings.Join(comparisonKinds(), ", "))
}

// runs are the results of a block.
func (m *Markdown) runs(kind string, patterns []string) ([]runs.Run, error) {
	if len(patterns) == 0 {
		if len(m.Runs) == 0 {
			return nil, fmt.Errorf("kbench: %s: block %s names no results, and neither does the command", m.Path, kind)
		}
		return m.Runs, nil
	}
	paths, err := m.match(kind, patterns)
	if err != nil {
		return nil, err
	}
	return runs.Load(paths)
}

// pictures show the charts in the reader's colours.
func (m *Markdown) pictures(list []runs.Run) (string, error) {
	if m.Charts == "" {
		return "", fmt.Errorf("kbench: %s: block charts needs --svg DIR", m.Path)
	}
	charts, err := Charts(list)
	if err != nil {
		return "", err
	}
	return m.show(charts)
}
