package compare

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/diff"
)

// Every client is told the codec and the payload but those that can not
// compress, which a line says.
func TestCompression(t *testing.T) {
	for _, tc := range []struct {
		scenario       string
		codec, payload string // of the comparison
		defaults       bool
		wantCodec      string
		wantPayload    string
		bound          bool
	}{
		{"zstd-1k", "", "random", false, "zstd", bench.PayloadText, false},
		{"lz4-1k", "gzip", "random", false, "lz4", bench.PayloadText, false},
		{"partitioned", "", "random", false, "", "random", true},
		{"partitioned", "snappy", "text", false, "snappy", bench.PayloadText, false},
		{"partitioned", "none", "random", false, "none", "random", true},
		{"lz4-1k", "", "random", true, "", bench.PayloadText, true},
	} {
		t.Run(tc.scenario+" "+tc.codec, func(t *testing.T) {
			r := source(1)
			ran := map[string]int{}
			o := options(5, func(_ context.Context, s bench.Session) (*bench.Result, error) {
				ran[s.Library.Name]++
				if c := &s.Config; c.Settings.Compression != tc.wantCodec || c.Payload != tc.wantPayload {
					t.Errorf("compression %q of %q, want %q of %q", c.Settings.Compression, c.Payload, tc.wantCodec, tc.wantPayload)
				}
				if err := s.Config.Validate(); err != nil {
					t.Error(err)
				}
				res := result(r, s.Library.Name, 1)
				res.Totals.Bytes = 1000 * res.Totals.Sent
				return res, nil
			}, "a", "b", "bound")
			o.Clients[2].Plain, o.Compression, o.Payload, o.Defaults = true, tc.codec, tc.payload, tc.defaults
			var err error
			if o.Scenarios, err = FindScenarios(tc.scenario); err != nil {
				t.Fatal(err)
			}
			report := mustRun(t, o)
			var text bytes.Buffer
			if err := report.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			line := "note     scenario " + tc.scenario + ": bound was skipped: it does not compress"
			if ran["a"] != 5 || ran["b"] != 5 || (ran["bound"] == 5) != tc.bound || strings.Contains(text.String(), line) == tc.bound {
				t.Errorf("they ran %v\n%s", ran, &text)
			}
			if strings.Contains(text.String(), "level of it") != (tc.wantCodec != "" && tc.wantCodec != "none") {
				t.Errorf("the level of the codec:\n%s", &text)
			}
			rows := report.Scenarios[0].Clients[1].Rows
			if packed := strings.HasSuffix(tc.scenario, "-1k"); packed != (rows[1].Title == "MB/s") {
				t.Errorf("rows %+v", rows)
			} else if packed && (rows[1].Verdict != "" || rows[0].Verdict != diff.Same || float64(rows[1].Median) <= 0) {
				t.Errorf("rate %+v and MB/s %+v", rows[0], rows[1])
			}
		})
	}
}

// A report that was stored says the same when it is loaded.
func TestLoad(t *testing.T) {
	r, dir := source(2), t.TempDir()
	o := options(3, func(_ context.Context, s bench.Session) (*bench.Result, error) {
		return result(r, s.Library.Name, 1), nil
	}, "a", "b")
	o.Dir = dir
	report := mustRun(t, o)
	loaded, err := Load(filepath.Join(dir, "compare.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got, words bytes.Buffer
	for _, err := range []error{report.WriteMarkdown(&want), loaded.WriteMarkdown(&got), loaded.WriteText(&words)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want.String() != got.String() || got.Len() < 500 {
		t.Errorf("loaded, it says\n%s, and before\n%s", &got, &want)
	}
	for _, path := range []string{filepath.Join(dir, "nosuch.json"), filepath.Join(dir, "open-1", "a", "01.json")} {
		if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), "kbench: ") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
