package matrix

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Root is the root of the repository, seen from a folder of it.
type Root string

// At joins the way up.
func At(up ...string) Root { return Root(filepath.Join(up...)) }

// Folder is where the results lie.
func (r Root) Folder() string { return filepath.Join(string(r), "tests", "kafka", "matrix") }

// Page is the page with the table.
func (r Root) Page() string { return filepath.Join(string(r), "docs", "guides", "versions.md") }

const (
	begin = "<!-- matrix:begin tests/kafka/matrix/*.json -->"
	end   = "<!-- matrix:end -->"
)

// Render returns the page with what is between the markers made anew.
func Render(page string, results []*Result) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("matrix: the page lacks %s or %s", begin, end)
	}
	var b strings.Builder
	b.WriteString(before + begin + "\n\n")
	spoken(&b, results)
	checked(&b, results)
	kips(&b, results)
	b.WriteString("\n" + end + after)
	return b.String(), nil
}

// WritePage makes the page from the results.
func WritePage(root Root) error {
	results, err := Load(root.Folder())
	if err != nil {
		return err
	}
	text, err := os.ReadFile(root.Page())
	if err != nil {
		return fmt.Errorf("matrix: %w", err)
	}
	page, err := Render(string(text), results)
	if err != nil {
		return err
	}
	return os.WriteFile(root.Page(), []byte(page), 0o644)
}

// spoken is the table of requests and features.
func spoken(b *strings.Builder, results []*Result) {
	requests := []string{"Produce", "Metadata", "InitProducerID", "AddPartitionsToTxn", "EndTxn", "TxnOffsetCommit"}
	row(b, append([]string{"Kafka"}, append(requests, "topic ids (KIP-516)", "leader hints (KIP-951)", "transactions (KIP-890)", "client metrics (KIP-714)")...)...)
	b.WriteString(strings.Repeat("|---", len(requests)+5) + "|\n")
	for _, r := range results {
		cells := []string{"**" + r.Kafka + "**"}
		for _, request := range requests {
			cells = append(cells, r.sent(request))
		}
		row(b, append(cells, r.topicIDs(), r.hints(), r.transactions(), r.metrics())...)
	}
	b.WriteString("\n")
}

func (r *Result) topicIDs() string {
	switch {
	case r.TopicIDsUsed:
		return "records are sent by id"
	case r.TopicIDsTold:
		return "in metadata"
	}
	return "–"
}

// firstHints is the version of Produce whose answers have room for a leader.
const firstHints = 10

func (r *Result) hints() string {
	newest := int16(-1)
	for _, v := range r.Spoke["Produce"] {
		newest = max(newest, v)
	}
	switch {
	case r.LeaderHints:
		return "in refusals"
	case newest >= firstHints:
		return "possible"
	}
	return "–"
}

func (r *Result) transactions() string {
	if r.TransactionVersion >= 2 && len(r.Spoke["AddPartitionsToTxn"]) == 0 {
		return fmt.Sprintf("version %d: brokers add partitions", r.TransactionVersion)
	}
	return fmt.Sprintf("version %d: kring adds partitions", r.TransactionVersion)
}

func (r *Result) metrics() string {
	switch {
	case r.MetricsPushed:
		return "pushed"
	case r.MetricsOffered:
		return "offered"
	}
	return "–"
}

// checked is the table of the conformance run.
func checked(b *strings.Builder, results []*Result) {
	var names []string
	header, marks := []string{"check"}, map[string][]string{}
	for i, r := range results {
		header = append(header, r.Kafka)
		for _, c := range r.Checks {
			if marks[c.Name] == nil {
				names = append(names, c.Name)
				marks[c.Name] = slices.Repeat([]string{"–"}, len(results))
			}
			marks[c.Name][i] = "passed"
			if !c.Passed {
				marks[c.Name][i] = "**failed**"
			}
		}
	}
	row(b, header...)
	b.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, name := range names {
		row(b, append([]string{name}, marks[name]...)...)
	}
	b.WriteString("\n")
}

// kips is the list of proposals, and where each is held to.
func kips(b *strings.Builder, _ []*Result) {
	row(b, "KIP", "what", "shown by")
	b.WriteString("|---|---|---|\n")
	for _, k := range KIPs() {
		row(b, fmt.Sprintf("KIP-%d", k.Number), k.What, fmt.Sprintf("`%s` in [%s](../../%s)", k.Test, k.File, k.File))
	}
}

func row(b *strings.Builder, cells ...string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
