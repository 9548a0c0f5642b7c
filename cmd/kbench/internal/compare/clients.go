package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/bench"
)

// Client is a program that drives a client, or why there is none.
type Client struct {
	Name    string
	Command []string
	// Alone makes a flat-out plan one of a single goroutine: a bound, no client.
	Alone bool
	Props map[string]string
	// Plain ones can not compress.
	Plain bool
	// Warmup is the least that it needs before its numbers mean anything.
	Warmup time.Duration
	// Skipped says why it is not available here; "" is available.
	Skipped string
}

// javaWarmup is when the virtual machine has compiled what is hot.
const javaWarmup = 10 * time.Second

// known is a client of bench/peers, or of this program.
type known struct {
	name    string
	program string // folder in bench/peers; "" is kbench worker
	props   map[string]string
	alone   bool
	plain   bool
	warmup  time.Duration
}

func knownClients() []known {
	return []known{
		{name: "kring"},
		{name: "kring-inline", props: map[string]string{"kring.delivery.inline": "true"}},
		{name: "kring-fixed", props: map[string]string{"kring.adaptive.depth": "false"}},
		{name: "kring-topic", props: map[string]string{"kring.writers": "false"}},
		{name: "franz-go", program: "franzgo"},
		{name: "franz-go-plain", program: "franzgo", props: map[string]string{"franz-go.plain": "true"}},
		{name: "sarama", program: "sarama"},
		{name: "kafka-go", program: "kafkago"},
		{name: "librdkafka", program: "librdkafka"},
		{name: "java", program: "java", warmup: javaWarmup},
		{name: "rawlimit", program: "rawlimit", alone: true, plain: true},
		{name: "null", program: "null", plain: true},
	}
}

// ClientNames is every name that Find knows, comma separated.
func ClientNames() string {
	var names []string
	for _, k := range knownClients() {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// Finder knows where workers may be.
type Finder struct {
	// Self starts kring's worker: this program, as kbench worker.
	Self []string
	// Dir has built workers; "" is none. Its files are called as the folders of
	// bench/peers, or kbench-worker-NAME.
	Dir string
	// Beside is the folder of this program, which is looked at next.
	Beside string
	// Source is a folder in the source tree, where bench/peers is built from.
	Source string
	// Build is a folder for what is built; "" becomes a temporary one as soon as
	// something is, which the caller removes.
	Build    string
	Messages io.Writer
}

// Find resolves names. One that is known but not available here comes back with
// Skipped; one that is not known is an error.
func (f *Finder) Find(ctx context.Context, names []string) ([]Client, error) {
	var out []Client
	for _, name := range names {
		c, err := f.find(ctx, strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o Client) bool { return o.Name == c.Name }) {
			return nil, fmt.Errorf("--client %s is named twice", c.Name)
		}
		out = append(out, c)
	}
	return out, nil
}

func (f *Finder) find(ctx context.Context, name string) (Client, error) {
	if label, program, ok := strings.Cut(name, "="); ok {
		path, err := filepath.Abs(program)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil || label == "" || strings.ContainsAny(label, `/\. `) {
			return Client{}, fmt.Errorf("--client %s: want NAME=PROGRAM, an existing worker program", name)
		}
		return Client{Name: label, Command: []string{path}}, nil
	}
	all := knownClients()
	i := slices.IndexFunc(all, func(k known) bool { return k.name == name })
	if i < 0 {
		if path, ok := f.stored(name, name); ok {
			return Client{Name: name, Command: []string{path}}, nil
		}
		return Client{}, fmt.Errorf("--client %q is none of %s, NAME=PROGRAM, and there is no kbench-worker-%s", name, ClientNames(), name)
	}
	k := all[i]
	c := Client{Name: name, Alone: k.alone, Plain: k.plain, Props: k.props, Warmup: k.warmup}
	if k.program == "" {
		c.Command = f.Self
		return c, nil
	}
	if path, ok := f.stored(name, k.program); ok {
		c.Command = []string{path}
		return c, nil
	}
	path, err := f.build(ctx, k.program)
	if err != nil {
		c.Skipped = oneLine(err)
	}
	c.Command = []string{path}
	return c, nil
}

// stored looks for a worker that was built before.
func (f *Finder) stored(name, program string) (string, bool) {
	var places []string
	if f.Dir != "" {
		places = append(places, filepath.Join(f.Dir, program), filepath.Join(f.Dir, program, "run"), filepath.Join(f.Dir, "kbench-worker-"+name))
	}
	if f.Beside != "" {
		places = append(places, filepath.Join(f.Beside, "kbench-worker-"+name))
	}
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			path, err = filepath.Abs(path)
			return path, err == nil
		}
	}
	path, err := exec.LookPath("kbench-worker-" + name)
	return path, err == nil
}

// build compiles a worker of the source tree.
func (f *Finder) build(ctx context.Context, program string) (string, error) {
	peers, ok := f.peers()
	if !ok || f.Dir != "" {
		return "", fmt.Errorf("no worker: give --workers a folder with %s, or run in kring's source tree", program)
	}
	fmt.Fprintf(f.Messages, "building the worker %s\n", program)
	if program == "java" {
		run := filepath.Join(peers, "java", "run")
		// Beforehand, because Maven may take longer than a run may.
		return run, command(ctx, run, "build")
	}
	if f.Build == "" {
		var err error
		if f.Build, err = os.MkdirTemp("", "kbench-workers-"); err != nil {
			return "", err
		}
	}
	path := filepath.Join(f.Build, program)
	if program == "librdkafka" { // A module of its own, for it needs cgo.
		return path, command(ctx, "go", "build", "-C", filepath.Join(peers, program), "-o", path, ".")
	}
	return path, command(ctx, "go", "build", "-C", peers, "-o", path, "./"+program)
}

// peers is the nearest bench/peers above Source.
func (f *Finder) peers() (string, bool) {
	for dir := f.Source; dir != ""; {
		peers := filepath.Join(dir, "bench", "peers")
		if _, err := os.Stat(filepath.Join(peers, "go.mod")); err == nil {
			return peers, true
		}
		above := filepath.Dir(dir)
		if above == dir {
			break
		}
		dir = above
	}
	return "", false
}

// command runs a builder; what it says is the error's.
func command(ctx context.Context, name string, args ...string) error {
	text, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == bench.ExitSkipped:
		_, reason, _ := strings.Cut(lastLine(string(text)), "skipped: ")
		return errors.New(reason)
	}
	return fmt.Errorf("%s: %w: %s", name, err, lastLine(string(text)))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
