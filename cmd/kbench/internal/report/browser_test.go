package report

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/cmd/kbench/internal/compare"
)

// probe is added to the page by the test: it counts the charts on which
// something is drawn, and what the page has asked the network for.
const probe = `<script>
setTimeout(() => {
  const drawn = canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let n = 0;
    for (let i = 3; i < pixels.length; i += 4) n += pixels[i] > 0;
    return n > 1000;
  };
  const charts = [...document.querySelectorAll("canvas")];
  const out = document.createElement("p");
  out.textContent = "PROBE charts=" + charts.filter(drawn).length + "/" + charts.length +
    " requests=" + performance.getEntriesByType("resource").length + " errors=" + window.failures;
  document.body.append(out);
}, 500);
</script>`

// watch counts scripts that fail, and requests that the page's policy refuses.
const watch = `<head><script>
window.failures = 0;
window.onerror = () => { window.failures++ };
document.addEventListener("securitypolicyviolation", () => { window.failures++ });
</script>`

// TestPageInBrowser opens the page in headless Chromium.
func TestPageInBrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("skipped: no Chromium here")
	}
	runs := load(t, append(stored(t, "ours", 1000, 20_000), stored(t, "theirs", 1000)...)...)
	rates := []*compare.Report{atRates(t, filepath.Join(t.TempDir(), "curve.json"), 0)}
	// Percentiles, p99 by rate, and two timelines of the run that is shown.
	inBrowser(t, browser, "charts=4/4 requests=0 errors=0", func(w io.Writer) error { return Page(w, runs, nil) })
	inBrowser(t, browser, "charts=1/1 requests=0 errors=0", func(w io.Writer) error { return Page(w, nil, rates) })
}

// inBrowser opens a page and asks it what it has drawn.
func inBrowser(t *testing.T, browser, want string, write func(io.Writer) error) {
	t.Helper()
	var page bytes.Buffer
	if err := write(&page); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(page.String(), "<head>", watch, 1)
	text = strings.Replace(text, "</body>", probe+"</body>", 1)
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	location := url.URL{Scheme: "file", Path: filepath.ToSlash(file)}
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--window-size=1100,1600", "--virtual-time-budget=5000", "--dump-dom", location.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := regexp.MustCompile(`PROBE (charts=\S+ requests=\S+ errors=\d+)<`).FindSubmatch(out)
	if found == nil || string(found[1]) != want {
		t.Errorf("the page says %q, want %s", found, want)
	}
}
