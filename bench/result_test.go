package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// fieldsOf lists every key of a JSON document as path and kind.
func fieldsOf(prefix string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			path := prefix + "." + key
			if prefix == ".client.props" {
				continue // Names of properties, not of the schema.
			}
			fieldsOf(path, inner, out)
		}
	case []any:
		out[prefix] = "array"
	case string:
		out[prefix] = "string"
	case bool:
		out[prefix] = "boolean"
	case float64:
		out[prefix] = "number"
	case nil:
		out[prefix] = "null"
	}
}

// TestResultSchema compares the fields of a result with the published list:
// v1 may gain fields, and a consumer must never lose one.
func TestResultSchema(t *testing.T) {
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Duration = ModeOpen, 5000, 0, 100*time.Millisecond
	r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{})
	var text bytes.Buffer
	if err := WriteJSON(&text, r); err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(text.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	fieldsOf("", doc, fields)
	published, err := os.ReadFile("testdata/result.v1.fields")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(published)), "\n") {
		path, kinds, _ := strings.Cut(line, " ")
		known[path] = true
		kind, there := fields[path]
		if !there {
			t.Errorf("%s is missing: consumers of v1 rely on it", path)
		} else if kind != "null" && !strings.Contains(kinds, kind) {
			t.Errorf("%s is a %s, want %s", path, kind, kinds)
		}
	}
	var unpublished []string
	for path, kind := range fields {
		if !known[path] {
			unpublished = append(unpublished, path+" "+kind)
		}
	}
	sort.Strings(unpublished)
	if len(unpublished) > 0 {
		t.Errorf("fields that testdata/result.v1.fields does not list:\n%s", strings.Join(unpublished, "\n"))
	}
}

func TestResultHistogramsDecode(t *testing.T) {
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Duration = ModeOpen, 5000, 0, 100*time.Millisecond
	r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{})
	for name, l := range map[string]*Latency{"response": r.Latency.Response, "service": r.Latency.Service, "call": r.Latency.Call} {
		h, err := hdrhistogram.Decode([]byte(l.HDRv2))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if h.TotalCount() != int64(l.N) || h.ValueAtQuantile(50) < l.P50*99/100 || h.ValueAtQuantile(50) > l.P50*101/100 {
			t.Errorf("%s: decoded %d values with p50 %d, want %d and %d", name, h.TotalCount(), h.ValueAtQuantile(50), l.N, l.P50)
		}
	}
}

func TestTotalsAddUp(t *testing.T) {
	c := testConfig()
	c.Senders, c.Warmup = 3, 20*time.Millisecond
	fail := func(t tag) error {
		if t.seq()%7 == 0 {
			return context.DeadlineExceeded
		}
		return nil
	}
	r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3, fail: fail}).library(), Output{})
	sent := int64(0)
	for _, n := range r.Ledger.Sent {
		sent += int64(n)
	}
	got := r.Totals
	if got.Sent != 2000 || got.Sent+got.Warmup != sent || r.Ledger.Acked+got.Failed != sent || got.Unresolved != 0 {
		t.Errorf("%+v, ledger: %d sent, %d acknowledged", got, sent, r.Ledger.Acked)
	}
	if len(r.Errors) != 1 || r.Errors[0].Records != got.Failed {
		t.Errorf("errors %+v, want one kind of %d", r.Errors, got.Failed)
	}
}

func TestHumanTable(t *testing.T) {
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Duration = ModeOpen, 5000, 0, 100*time.Millisecond
	f := &fakeClient{partitions: 3, lose: is(0, 3)}
	r := mustRun(t, context.Background(), c, f.library(), Output{})
	v, err := f.verify(r.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	r.Verify = v
	var text bytes.Buffer
	WriteResult(&text, r)
	for _, want := range []string{"RESULT", " response ", " lag ", " rate    offered 5,000/s", "CPU-s/Mrec", "499 read back", "1 lost", "record 3 of sender 0 is missing", "FAILED"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in the table:\n%s", want, &text)
		}
	}
}
