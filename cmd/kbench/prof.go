package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/driver"
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/stages"
)

// profCmd is kbench prof.
type profCmd struct {
	File   string `arg:"" help:"A profile, or the folder of kbench run -o." placeholder:"FILE"`
	Port   int    `help:"Port of the web view on 127.0.0.1; 0 takes a free one."`
	NoOpen bool   `help:"Serve the web view, but start no browser."`
	Top    bool   `help:"Print the heaviest functions as text instead."`
	Stages bool   `help:"Print the time by stages of a record as text instead."`
}

// Help is the long text of kbench prof --help.
func (profCmd) Help() string {
	return `Opens pprof's own web view (flame graph, call graph, sources) on this machine's
loopback interface, until interrupted.

Examples:

  kbench run -n 5M --profile -o kb-out && kbench prof kb-out
  kbench prof kb-out --stages               # ns per record: partition, append, drain, ...
  kbench prof kb-out/cpu.pprof --top        # where there is no browser
  kbench run -n 5M --mutexprofile m.pprof && kbench prof m.pprof --no-open --port 8080`
}

func (c *profCmd) Run(p *program) error {
	file, err := profileOf(c.File)
	if err != nil {
		return bench.UsageError(err)
	}
	if c.Port < 0 || c.Port > 65535 {
		return bench.UsageError(fmt.Errorf("--port is %d, want 0 to 65535", c.Port))
	}
	if c.Stages {
		report, err := stages.Read(file)
		if err != nil {
			return bench.UsageError(err)
		}
		if err := report.Write(p.stdout); err != nil || !c.Top {
			return err
		}
	}
	if c.Top {
		return runPprof(p, &driver.Options{Writer: onlyTo{p.stdout}}, "-top", "-output=stdout", file)
	}
	address := "-http=127.0.0.1:"
	if c.Port > 0 {
		address += strconv.Itoa(c.Port)
	}
	serve := func(args *driver.HTTPServerArgs) error { return serveProfile(p.ctx, args) }
	return runPprof(p, &driver.Options{HTTPServer: serve}, address, "-no_browser="+strconv.FormatBool(c.NoOpen), file)
}

// profileOf finds the profile in the folder of a run.
func profileOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("kbench: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	r, err := bench.ReadResult(path)
	if err != nil {
		return "", err
	}
	if len(r.Profiles) == 0 {
		return "", fmt.Errorf("kbench: the run in %s took no profile: run again with --profile", path)
	}
	name := r.Profiles[len(r.Profiles)-1]
	if inside := filepath.Join(path, name); !filepath.IsAbs(name) {
		if _, err := os.Stat(inside); err == nil {
			return inside, nil
		}
	}
	return name, nil
}

// runPprof is pprof with the given command line.
func runPprof(p *program, o *driver.Options, args ...string) error {
	ui := &pprofUI{w: p.stderr}
	o.UI, o.Flagset = ui, newPprofFlags(args)
	err := driver.PProf(o)
	switch {
	case err == nil || errors.Is(err, http.ErrServerClosed):
		return nil
	case ui.failed != "":
		return bench.UsageError(fmt.Errorf("kbench: pprof: %s", strings.TrimSpace(ui.failed)))
	}
	return bench.UsageError(fmt.Errorf("kbench: pprof: %w", err))
}

// serveProfile serves until ctx ends. The view shows source files of this
// machine, so only requests that name this machine are answered: a page of
// another site, made to resolve to 127.0.0.1, is refused.
func serveProfile(ctx context.Context, args *driver.HTTPServerArgs) error {
	mux := http.NewServeMux()
	for path, handler := range args.Handlers {
		mux.Handle(path, handler)
	}
	local := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "kbench prof answers this machine only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", args.Hostport)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: local, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // Serve says how it ended.
	defer stop()
	return server.Serve(listener)
}

// onlyTo is a place to write reports to that has one file.
type onlyTo struct{ w io.Writer }

func (o onlyTo) Open(string) (io.WriteCloser, error) { return keepOpen{o.w}, nil }

// keepOpen is a writer that somebody else closes.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
