package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/plugin/kringkeystore"
)

// Start makes a client for a plan. props are the settings that it was really
// given, in the library's own words; they go into the result, so that a reader
// can judge whether the clients were told the same.
type Start func(plan *bench.Config, done bench.Done) (client bench.Client, props map[string]string, err error)

// Main is the whole of a worker program. module is where the library's version
// is found. It does not return.
func Main(name, module string, retains bool, start Start, traits ...bench.Trait) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, name, module, retains, start, traits, os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(bench.ExitCode(nil, false, err))
}

func run(ctx context.Context, name, module string, retains bool, start Start, traits []bench.Trait, in io.Reader, out io.Writer) error {
	var plan bench.Config
	if err := json.NewDecoder(in).Decode(&plan); err != nil {
		return bench.UsageError(fmt.Errorf("the plan is not JSON: %w", err))
	}
	plan.Settings.Read = kringkeystore.FromProperties
	if err := plan.Validate(); err != nil {
		return bench.UsageError(err)
	}
	if err := reach(ctx, plan.Settings.Brokers); err != nil {
		return err
	}
	var props map[string]string
	lib := bench.Library{
		Name: name, Version: Version(module),
		// Values change only where they are stamped, and keys only where they
		// are counted up: otherwise a client may keep them for as long as it likes.
		Retaining: retains && (plan.Verify == bench.VerifyFull || plan.Keys.String() == "seq"),
		New: func(_ bench.Settings, done bench.Done) (client bench.Client, err error) {
			client, props, err = start(&plan, done)
			return client, err
		},
	}
	for _, trait := range traits {
		trait(&lib)
	}
	o := bench.Output{Progress: os.Stderr}
	if plan.Quiet {
		o.Progress = nil
	}
	result, err := bench.Run(ctx, plan, lib, o)
	if err != nil {
		return err
	}
	for key, value := range props {
		result.Client.Props[key] = value
	}
	// Not bench.WriteJSON: it leaves out the ledger, which is for whoever verifies.
	return json.NewEncoder(out).Encode(result)
}

// Version is the version of a module that this program was built with.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dep := range info.Deps {
		if dep.Path == module {
			if dep.Replace != nil {
				return "working copy"
			}
			return dep.Version
		}
	}
	return "unknown"
}
