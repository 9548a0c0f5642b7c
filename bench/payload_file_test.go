package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// payloadFile writes a file of values.
func payloadFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (v *fileValues) all() []string {
	var out []string
	for i := range v.count() {
		out = append(out, string(v.value(i)))
	}
	return out
}

func TestPayloadFileIsSplit(t *testing.T) {
	for _, tc := range []struct {
		name, text, delimiter string
		want                  []string
	}{
		{"lines", "a\nbb\nccc\n", "", []string{"a", "bb", "ccc"}},
		{"no last newline", "a\nbb", "", []string{"a", "bb"}},
		{"windows", "a\r\nb\rb\r\n\r\n", "", []string{"a", "b\rb", ""}},
		{"a file that ends with \\r", "a\nb\r", "", []string{"a", "b\r"}},
		{"empty lines are values", "\n\na\n\n", "", []string{"", "", "a", ""}},
		{"newline told", "a\r\nb\n", `\n`, []string{"a", "b"}},
		{"comma", "a,b\n,,c", ",", []string{"a", "b\n", "", "c"}},
		{"several characters", "a--b-c--", "--", []string{"a", "b-c"}},
		{"zero byte", "a\x00b\x00", `\0`, []string{"a", "b"}},
		{"tab", "a\tb", `\t`, []string{"a", "b"}},
		{"hexadecimal", "a\x1eb", `\x1e`, []string{"a", "b"}},
		{"\\r stays where the delimiter is another", "a\r,b", ",", []string{"a\r", "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := LoadPayloadFile(payloadFile(t, tc.text), tc.delimiter)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.loaded.all(); !slices.Equal(got, tc.want) || p.Values != len(tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestPayloadFolder(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b": "two\nlines\n", "a": "", "c": "3"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "aa"), 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := LoadPayloadFile(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := p.loaded.all(); !slices.Equal(got, []string{"", "two\nlines\n", "3"}) {
		t.Errorf("%q", got)
	}
	if s := p.Sizes(); s.Min() != 0 || s.Max() != 10 || s.String() != "file:0-10" {
		t.Errorf("sizes %v", s)
	}
}

func TestPayloadFileRefuses(t *testing.T) {
	empty, file := t.TempDir(), payloadFile(t, "a\n")
	for _, tc := range []struct{ name, path, delimiter, want string }{
		{"nothing there", file + "x", "", "no such file"},
		{"empty file", payloadFile(t, ""), "", "is empty"},
		{"empty folder", empty, "", "has no files"},
		{"folder with a delimiter", empty, ",", "--payload-delimiter is for a file"},
		{"a half escape", file, `\`, "--payload-delimiter"},
		{"an unknown escape", file, `\q`, "--payload-delimiter"},
		{"no file", os.DevNull, "", "neither a file nor a folder"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := LoadPayloadFile(tc.path, tc.delimiter); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
	p := &PayloadFile{Path: payloadFile(t, "a\nb\nc\n")}
	if _, err := p.read(5, 100); err == nil || !strings.Contains(err.Error(), "more than 5 B") {
		t.Errorf("6 bytes where 5 are allowed: %v", err)
	}
	if _, err := p.read(100, 3); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("3 values where 2 are allowed: %v", err)
	}
	if v, err := p.read(6, 4); err != nil || v.count() != 3 {
		t.Errorf("just within the limits: %v", err)
	}
}

// TestHashValue: whatever bit is altered, and whatever zero is added or gone.
func TestHashValue(t *testing.T) {
	seen := map[uint64]string{}
	note := func(value []byte, what string) {
		h := hashValue(value)
		if other, again := seen[h]; again {
			t.Errorf("%s has the hash of %s", what, other)
		}
		seen[h] = what
	}
	for size := range 20 {
		value := make([]byte, size)
		note(value, fmt.Sprintf("%d zeros", size))
		for bit := range 8 * size {
			value[bit/8] ^= 1 << (bit % 8)
			note(value, fmt.Sprintf("%d zeros but bit %d", size, bit))
			value[bit/8] = 0
		}
	}
}

// fileConfig is testConfig with values of a file: 50 kinds of about 100 lines.
func fileConfig(t *testing.T) Config {
	t.Helper()
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "line %d of the orders %s\n", i%50, strings.Repeat("x", i%50))
	}
	c := testConfig()
	var err error
	if c.PayloadFile, err = LoadPayloadFile(payloadFile(t, text.String()), ""); err != nil {
		t.Fatal(err)
	}
	c.Payload, c.Sizes = PayloadOfFile, c.PayloadFile.Sizes()
	return c
}

// TestPayloadFilePlanTravels: another process reads the same values, or none.
func TestPayloadFilePlanTravels(t *testing.T) {
	c := fileConfig(t)
	text, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := json.Unmarshal(text, &back); err != nil || back.Validate() != nil {
		t.Fatal(err, back.Validate())
	}
	if back.Sizes.Max() != c.Sizes.Max() || back.payload() != c.payload() || !strings.HasPrefix(c.payload(), "file:") {
		t.Errorf("sizes %v, payload %s, want %v and %s", back.Sizes, back.payload(), c.Sizes, c.payload())
	}
	values, err := back.PayloadFile.open()
	if err != nil || !slices.Equal(values.all(), c.PayloadFile.loaded.all()) {
		t.Errorf("other values, %v", err)
	}
	if err := os.WriteFile(c.PayloadFile.Path, []byte("others\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	back = Config{}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), back, (&fakeClient{}).library(), Output{}); ExitCode(nil, false, err) != ExitUsage || !strings.Contains(err.Error(), "have changed") {
		t.Errorf("with a changed file: %v", err)
	}
}

// TestPayloadFileIsSent: as it is, in an order that the seed gives, and evenly.
func TestPayloadFileIsSent(t *testing.T) {
	sent := func(seed uint64) (map[string]int, []string) {
		c := fileConfig(t)
		c.Seed, c.Keys = seed, Keys{kind: keysSeq}
		counts, order := map[string]int{}, []string(nil)
		f := &fakeClient{partitions: 1}
		if _, err := Run(context.Background(), c, f.library(Retaining()), Output{}); err != nil {
			t.Fatal(err)
		}
		for _, v := range f.log[0] {
			counts[string(v)]++
		}
		values := c.PayloadFile.loaded
		for seq := range uint64(100) {
			order = append(order, string(values.value(values.pick(seed, makeTag(0, seq)))))
		}
		for value := range counts {
			if !slices.Contains(values.all(), value) {
				t.Errorf("%q is no value of the file", value)
			}
		}
		return counts, order
	}
	counts, order := sent(1)
	for value, n := range counts {
		if n < 15 || n > 80 { // 2000 records of 50 values: 40 on average
			t.Errorf("%q was sent %d times of 2000", value, n)
		}
	}
	if len(counts) != 50 {
		t.Errorf("%d of 50 values were sent", len(counts))
	}
	if _, again := sent(1); !slices.Equal(order, again) {
		t.Error("the same seed gives another order")
	}
	if _, other := sent(2); slices.Equal(order, other) {
		t.Error("another seed gives the same order")
	}
}

// TestVerifierKnowsFileValues plants every fault once, as
// TestVerifierFindsFaults does with stamps.
func TestVerifierKnowsFileValues(t *testing.T) {
	hit := is(1, 500)
	misplaced := func(v *VerifyResult) bool { return v.Misplaced != nil && *v.Misplaced > 0 }
	for _, tc := range []struct {
		name  string
		fault *fakeClient
		check func(v *VerifyResult) bool
	}{
		{"none", &fakeClient{}, func(v *VerifyResult) bool {
			return v.Read == 2000 && !v.Failed() && v.Misplaced != nil && v.Foreign == 0
		}},
		{"one record lost", &fakeClient{lose: hit}, func(v *VerifyResult) bool { return v.Lost == 1 && v.Duplicated == 0 && v.Read == 1999 }},
		{"one record twice", &fakeClient{repeat: hit}, func(v *VerifyResult) bool { return v.Duplicated == 1 && v.Lost == 0 }},
		{"one bit", &fakeClient{damage: func(at tag, b []byte) {
			if hit(at) {
				b[len(b)-1] ^= 1
			}
		}}, func(v *VerifyResult) bool { return v.Lost == 1 && v.Foreign == 1 && misplaced(v) }},
		{"acknowledged at another offset", &fakeClient{misplace: func(at tag) int64 {
			if hit(at) {
				return 1
			}
			return 0
		}}, func(v *VerifyResult) bool { return v.Lost == 0 && misplaced(v) }},
		{"failed, and not there", &fakeClient{fail: func(at tag) error {
			if hit(at) {
				return errors.New("broker is gone")
			}
			return nil
		}}, func(v *VerifyResult) bool { return v.Lost == 0 && v.Duplicated == 0 && v.Read == 1999 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := tc.fault
			f.partitions = 3
			r, err := Run(context.Background(), fileConfig(t), f.library(), Output{})
			if err != nil {
				t.Fatal(err)
			}
			v, err := f.verify(r.Ledger)
			if err != nil {
				t.Fatal(err)
			}
			if !tc.check(&v) || slices.Contains(v.Checked, "order") || !slices.Contains(v.Checked, "bytes") {
				t.Errorf("%+v", v)
			}
		})
	}
}

// TestPayloadFileWithKring: through the library, a broker of its own, and a
// worker's process.
func TestPayloadFileWithKring(t *testing.T) {
	for _, where := range []string{"in process", "broker", "worker"} {
		t.Run(where, func(t *testing.T) {
			s, messages := testSession(t)
			c := fileConfig(t)
			s.Config.Payload, s.Config.PayloadFile, s.Config.Sizes = c.Payload, c.PayloadFile, c.Sizes
			switch where {
			case "broker":
				s.BrokerCommand = self(t, "broker")
			case "worker":
				s.Worker = self(t, "worker")
			}
			r, err := Execute(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verify.Read != 20_000 || r.Verify.Failed() || r.Verify.Misplaced == nil || r.Workload.Payload != c.payload() || ExitCode(r, false, nil) != ExitOK {
				t.Errorf("verify %+v, payload %s, invalid %q\n%s", r.Verify, r.Workload.Payload, r.InvalidReasons, messages)
			}
			var out strings.Builder
			WriteResult(&out, r)
			if text := out.String(); !strings.Contains(text, "byte for byte, where") || strings.Contains(text, "in order") {
				t.Errorf("the verdict claims what was not checked:\n%s", text)
			}
		})
	}
}

func TestPayloadFileContradicts(t *testing.T) {
	for _, tc := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Compressibility = 0.5 }, "--compressibility"},
		{func(c *Config) { c.E2E = true }, "--e2e"},
		{func(c *Config) { c.Payload = PayloadText }, "--payload text"},
		{func(c *Config) { c.Payload = "" }, "--payload random"},
		{func(c *Config) { c.PayloadFile = nil }, "needs a --payload-file"},
		{func(c *Config) { c.Shard.Of = 2 }, "--verify full of a shard"},
		{func(c *Config) { c.Settings.Props = map[string]string{"max.request.size": "50"} }, "value 50 has"},
	} {
		c := fileConfig(t)
		tc.change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
}
