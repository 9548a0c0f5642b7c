package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/kring-go/kring/bench"
)

// profiledRun is a folder of a run with a profile, and what was printed.
func profiledRun(t *testing.T) (dir, stdout string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := kbench(t, "run", "-n", "1M", "--in-process", "--verify", "none", "--profile", "-o", dir)
	if code != bench.ExitOK {
		t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
	}
	return dir, stdout
}

func TestProfileIsAnExtraRepetition(t *testing.T) {
	dir, stdout := profiledRun(t)
	r, err := bench.ReadResult(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Profiles, []string{"cpu.pprof"}) || len(r.Warnings) > 0 && strings.Contains(strings.Join(r.Warnings, " "), "profiles were taken") {
		t.Errorf("profiles %v, warnings %v: want the file, and a result without its cost", r.Profiles, r.Warnings)
	}
	// So short a run has few samples: which stages have any is chance.
	if stages := regexp.MustCompile(`(?m)^ [a-z]+ +[0-9.]+ +[0-9.]+ % +<- `).FindAllString(stdout, -1); len(stages) == 0 {
		t.Errorf("no stage in\n%s", stdout)
	}
	f, err := os.Open(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	total, records := int64(0), 0.0
	for _, s := range p.Sample {
		total += s.Value[1]
	}
	for _, c := range p.Comments {
		n, err := strconv.ParseFloat(strings.TrimPrefix(c, "kbench records "), 64)
		if err == nil {
			records = n
		}
	}
	printed := regexp.MustCompile(`\n total +([0-9.]+) `).FindStringSubmatch(stdout)
	if printed == nil || total == 0 || records != 1e6 {
		t.Fatalf("total %v, %d ns, %v records", printed, total, records)
	}
	if got, want := printed[1], strconv.FormatFloat(float64(total)/records, 'f', 1, 64); got != want {
		t.Errorf("printed %s ns per record, the profile has %s", got, want)
	}
	for _, tc := range []struct{ flag, text string }{{"--top", "flat%"}, {"--stages", "ns/rec"}} {
		code, stdout, stderr := kbench(t, "prof", dir, tc.flag)
		if code != bench.ExitOK || !strings.Contains(stdout, tc.text) {
			t.Errorf("prof %s: exit code %d, %s%s", tc.flag, code, stdout, stderr)
		}
	}
	webView(t, dir)
}

// webView opens the web view and interrupts it.
func webView(t *testing.T, dir string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	in, out := io.Pipe()
	p := &program{ctx: ctx, args: []string{"prof", dir, "--no-open"}, stdin: strings.NewReader(""), stdout: io.Discard, stderr: out}
	ended := make(chan int, 1)
	go func() {
		ended <- p.run()
		_ = out.Close() // A pipe's Close never fails.
	}()
	line := (&lineReader{r: in}).line(t)
	go func() { _, _ = io.Copy(io.Discard, in) }() // What else it says does not matter.
	url := line[strings.Index(line, "http://127.0.0.1:"):]
	get := func(host string) int {
		for {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/top", nil)
			if err != nil {
				t.Fatal(err)
			}
			if host != "" {
				req.Host = host
			}
			// The address is printed just before somebody listens there.
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close() // Only the status is of interest.
				return resp.StatusCode
			} else if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	}
	if code := get(""); code != http.StatusOK {
		t.Errorf("the web view answers %d", code)
	}
	if code := get("evil.example:80"); code != http.StatusForbidden {
		t.Errorf("a request for another host is answered with %d", code)
	}
	cancel()
	if code := <-ended; code != bench.ExitOK {
		t.Errorf("exit code %d after the interrupt", code)
	}
}

func TestProfUsage(t *testing.T) {
	empty := t.TempDir()
	plain := filepath.Join(empty, "plain")
	if code, _, stderr := kbench(t, "run", "-n", "10", "--in-process", "-q", "-o", plain); code != bench.ExitOK {
		t.Fatal(stderr)
	}
	for _, tc := range []struct{ name, args, text string }{
		{"no file", "prof " + empty + "/none", "no such file"},
		{"no result", "prof " + empty, "result.json"},
		{"no profile", "prof " + plain, "--profile"},
		{"not a profile", "prof --stages " + plain + "/result.json", "not a profile"},
		{"not a profile for pprof", "prof --top " + plain + "/result.json", "pprof"},
		{"port", "prof --port 70000 " + plain + "/result.json", "--port"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			code, stdout, stderr := kbench(t, strings.Fields(tc.args)...)
			if code != bench.ExitUsage || !strings.Contains(stderr, tc.text) || stdout != "" {
				t.Errorf("exit code %d, %q, %q", code, stderr, stdout)
			}
		})
	}
}
