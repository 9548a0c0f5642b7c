package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/cmd/kbench/internal/workload"
)

// workloadFlags gives flags that nobody set the values of a workload.
type workloadFlags struct {
	source string
	w      *workload.Workload
	taken  map[string]bool // flags that have the file's value
}

// resolved is the command with its workload's values, read from the same
// command line once more.
func (c *runCmd) resolved(p *program) (*runCmd, error) {
	if c.Workload == "" {
		return c, nil
	}
	w, err := workload.Load(c.Workload)
	if err != nil {
		return nil, bench.UsageError(err)
	}
	flags := &workloadFlags{source: c.Workload, w: w, taken: map[string]bool{}}
	grammar := &cli{}
	parser, err := kong.New(grammar, kong.Name("kbench"), kong.DefaultEnvars("KBENCH"), kong.Resolvers(flags),
		kong.Exit(func(code int) { panic(exited(code)) }), kong.Writers(p.stdout, p.stderr))
	if err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	if err := flags.canonical(parser.Model); err != nil {
		return nil, bench.UsageError(err)
	}
	if _, err := parser.Parse(joinNegatives(p.args)); err != nil {
		return nil, bench.UsageError(fmt.Errorf("%s: %w", c.Workload, err))
	}
	run := &grammar.Run
	run.mergeProperties(w, flags.taken)
	run.mergePayload(flags.taken)
	return run, nil
}

// Validate implements kong.Resolver; the keys were looked at before.
func (*workloadFlags) Validate(*kong.Application) error { return nil }

// canonical checks that every key of the file is a flag of run, and calls those
// that have several names by their first.
func (f *workloadFlags) canonical(app *kong.Application) error {
	known := map[string]string{}
	for _, node := range app.Children {
		if node.Name != "run" {
			continue
		}
		for _, flag := range node.Flags {
			known[flag.Name] = flag.Name
			for _, alias := range flag.Aliases {
				known[alias] = flag.Name
			}
		}
	}
	delete(known, "help")
	for key, value := range f.w.Flags {
		name, ok := known[key]
		if !ok {
			return fmt.Errorf("%s: kbench run has no flag --%s%s", f.source, key, nearestFlag(key, known))
		}
		if name != key {
			if _, again := f.w.Flags[name]; again {
				return fmt.Errorf("%s: %s and %s are the same flag", f.source, key, name)
			}
			delete(f.w.Flags, key)
			f.w.Flags[name] = value
		}
	}
	return nil
}

// nearestFlag suggests a flag that contains the key, or is contained in it, or
// begins alike.
func nearestFlag(key string, known map[string]string) string {
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(s))
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, fits := range []func(a, b string) bool{
		func(a, b string) bool { return a == b },
		func(a, b string) bool {
			return len(a) > 2 && (strings.Contains(b, a) || strings.Contains(a, b) && len(b) > 2)
		},
		func(a, b string) bool { return len(a) > 3 && len(b) > 3 && a[:4] == b[:4] },
	} {
		for _, name := range names {
			if fits(plain(key), plain(name)) {
				return fmt.Sprintf("; did you mean %s?", name)
			}
		}
	}
	return ""
}

// Resolve implements kong.Resolver. Kong asks for flags that the command line
// does not set; the environment wins over a file too.
func (f *workloadFlags) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := f.w.Flags[flag.Name]
	if !ok {
		return nil, nil
	}
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	f.taken[flag.Name] = true
	return value, nil
}
