package matrix

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPageIsOfTheResults: nobody changes one without the other. make
// matrix-page writes the page.
func TestPageIsOfTheResults(t *testing.T) {
	root := At("..", "..", "..")
	results, err := Load(root.Folder())
	if err != nil {
		t.Fatal(err)
	}
	if len(results) < 3 {
		t.Fatalf("%d results, want at least the oldest, one between and the newest", len(results))
	}
	have, err := os.ReadFile(root.Page())
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("MATRIX_PAGE") != "" {
		if err := WritePage(root); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := Render(string(have), results)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not what the results give: make matrix-page makes it anew", root.Page())
	}
}

// TestResultsAreGood: what is published has passed, and no release has lost what
// the one before it had.
func TestResultsAreGood(t *testing.T) {
	results, err := Load(At("..", "..", "..").Folder())
	if err != nil {
		t.Fatal(err)
	}
	last := &Result{Checks: make([]Check, 11)}
	for _, r := range results {
		if len(r.Checks) < len(last.Checks) {
			t.Errorf("%s: %d checks, %q has %d", r.Kafka, len(r.Checks), last.Kafka, len(last.Checks))
		}
		if r.TransactionVersion < last.TransactionVersion || !r.TopicIDsUsed && last.TopicIDsUsed ||
			!r.LeaderHints && last.LeaderHints || !r.MetricsPushed && last.MetricsPushed {
			t.Errorf("%s has less than %s: %+v", r.Kafka, last.Kafka, r)
		}
		last = r
		for _, c := range r.Checks {
			if !c.Passed {
				t.Errorf("%s: %s has failed", r.Kafka, c.Name)
			}
		}
	}
}

// TestKIPsHaveTheirTests: each test exists, and the list is in order.
func TestKIPsHaveTheirTests(t *testing.T) {
	last := 0
	for _, k := range KIPs() {
		if k.Number <= last {
			t.Errorf("KIP-%d stands after KIP-%d", k.Number, last)
		}
		last = k.Number
		text, err := os.ReadFile(filepath.Join("..", "..", "..", k.File))
		if err != nil {
			t.Errorf("KIP-%d: %v", k.Number, err)
			continue
		}
		if !regexp.MustCompile(`(?m)^func ` + k.Test + `\(`).Match(text) {
			t.Errorf("KIP-%d: %s has no %s", k.Number, k.File, k.Test)
		}
	}
}

// TestRenderShowsWhatChanged: a page that is stale in one word is another page.
func TestRenderShowsWhatChanged(t *testing.T) {
	good := &Result{
		Kafka: "4.3.1", Checks: []Check{{"a", true}},
		Spoke: map[string][]int16{"Produce": {13}, "EndTxn": {5}}, TransactionVersion: 2, TopicIDsUsed: true,
	}
	old := &Result{Kafka: "3.0.0", Checks: []Check{{"a", true}, {"b", true}}, Spoke: map[string][]int16{"Produce": {9}, "AddPartitionsToTxn": {3}}}
	const frame = "# head\n" + begin + "\nx\n" + end + "\ntail\n"
	page, err := Render(frame, []*Result{old, good})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# head\n", "\ntail\n", "| **3.0.0** | v9 |", "| **4.3.1** | v13 |", "by id", "version 2: brokers add", "version 0: kring adds", "| a | passed | passed |", "| b | passed | – |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if again, err := Render(page, []*Result{old, good}); err != nil || again != page {
		t.Errorf("rendered again it differs (%v)", err)
	}
	good.Checks[0].Passed = false
	if broken, err := Render(page, []*Result{old, good}); err != nil || !strings.Contains(broken, "| a | passed | **failed** |") {
		t.Errorf("a failed check does not show (%v):\n%s", err, broken)
	}
	for _, page := range []string{"", begin, end} {
		if _, err := Render(page, nil); err == nil {
			t.Errorf("a page %q without markers was taken", page)
		}
	}
}
