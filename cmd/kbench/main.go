package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/kring-go/kring/bench"
)

// cli is the grammar.
type cli struct {
	Run        runCmd        `cmd:"" help:"Drive records through a producer, measure, and verify every one of them."`
	Compare    compareCmd    `cmd:"" help:"Measure several clients beside each other, in turns."`
	Ramp       rampCmd       `cmd:"" help:"Find the highest rate at which a client meets an objective."`
	Verify     verifyCmd     `cmd:"" help:"Read a topic back, and look for every record of a run."`
	Diff       diffCmd       `cmd:"" help:"Compare two sets of results: medians, significance, gates for CI."`
	Report     reportCmd     `cmd:"" help:"Turn results into an HTML page, charts, Markdown tables or Go benchmark lines."`
	Hist       histCmd       `cmd:"" help:"Print and merge latency histograms."`
	Prof       profCmd       `cmd:"" help:"Look at a CPU profile: pprof's web view, text, or stages of a record."`
	Workload   workloadCmd   `cmd:"" help:"List, show, check and convert descriptions of runs."`
	Props      propsCmd      `cmd:"" help:"List Java's producer properties, and what becomes of each."`
	Schema     schemaCmd     `cmd:"" help:"Print the JSON Schema of results, or check files against it."`
	Env        envCmd        `cmd:"" help:"Look for what would spoil a measurement on this machine."`
	Broker     brokerCmd     `cmd:"" help:"Serve the embedded broker until interrupted."`
	PerfTest   perfTestCmd   `cmd:"" help:"Take the flags of kafka-producer-perf-test, and print its summary."`
	Verifiable verifiableCmd `cmd:"" help:"Print the events of Kafka's VerifiableProducer."`
	Worker     workerCmd     `cmd:"" hidden:"" help:"Drive kring for another kbench: a plan on standard input, a result on standard output."`
	Completion completionCmd `cmd:"" help:"Print a script that completes commands and flags in a shell."`
	Version    versionCmd    `cmd:"" help:"Print version and build."`
}

// program is what commands may touch of the world, so that tests can replace it.
type program struct {
	ctx    context.Context
	args   []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	tty    bool
	exe    string // this program, to start the broker with; "" for in process
	code   int
}

// exited carries the code of kong's exits (help) past the parser.
type exited int

func main() {
	// The first interrupt ends the run with a report; the second ends it now.
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // A closed terminal interrupts too, but not under nohup.
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(bench.ExitInterrupted)
	}()
	p := &program{
		ctx: ctx, args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		tty: isTerminal(os.Stderr),
	}
	if exe, err := os.Executable(); err == nil {
		p.exe = exe
	}
	os.Exit(p.run())
}

// isTerminal decides between a line that rewrites itself and plain lines.
func isTerminal(f *os.File) bool {
	if term := os.Getenv("TERM"); os.Getenv("CI") != "" || term == "dumb" || term == "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// run parses and executes, and returns the exit code.
func (p *program) run() (code int) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case exited:
			code = int(v)
		default:
			panic(v)
		}
	}()
	out := &bench.KeepError{To: p.stdout}
	p.stdout = out
	parser, err := kong.New(&cli{},
		kong.Name("kbench"),
		kong.Description(description),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.DefaultEnvars("KBENCH"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Bind(p),
	)
	if err != nil {
		panic(err) // The grammar above is wrong; every test would see it.
	}
	args := p.args
	if len(args) == 0 {
		args = []string{"--help"}
	}
	args = joinNegatives(args)
	switch args[0] {
	case "diff":
		if at := slices.Index(args, "--"); at >= 0 {
			args[at] = sides
		}
	case "perf-test":
		args = expandLists(args)
	}
	command, err := parser.Parse(args)
	if err != nil && out.Err == nil {
		return p.fail(bench.UsageError(fmt.Errorf("%w (see kbench %s)", err, helpFor(parser, args))))
	}
	if err == nil {
		err = emptied(command)
	}
	if err == nil {
		err = command.Run(p)
	}
	if err == nil && p.code == bench.ExitOK {
		err = out.Err // Whoever printed it need not have looked.
	}
	if err != nil {
		return p.fail(err)
	}
	return p.code
}

// emptied refuses -b "$BROKERS" where nothing set BROKERS: without a value the
// flag would mean the embedded broker, values of kbench's own, no properties, or
// all of the work of all machines: a run that nobody asked for.
func emptied(command *kong.Context) error {
	for _, step := range command.Path {
		if step.Flag == nil || !step.Flag.Target.IsValid() {
			continue
		}
		v := step.Flag.Target
		if v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		// A delimiter's own message says more.
		if v.Kind() == reflect.String && v.String() == "" && step.Flag.Name != "payload-delimiter" || v.Kind() == reflect.Slice && v.Len() == 0 {
			return bench.UsageError(fmt.Errorf("--%s is empty: give it a value, or leave it out", step.Flag.Name))
		}
	}
	return nil
}

// joinNegatives writes --throughput -1, as people type it for Kafka's tools, in
// the form in which kong takes it for a value and not for a flag.
func joinNegatives(args []string) []string {
	var out []string
	for _, arg := range args {
		last := len(out) - 1
		if len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9' && last >= 0 &&
			strings.HasPrefix(out[last], "--") && !strings.Contains(out[last], "=") {
			out[last] += "=" + arg
			continue
		}
		out = append(out, arg)
	}
	return out
}

// helpFor names the help that fits what was typed.
func helpFor(parser *kong.Kong, args []string) string {
	known := func(c *kong.Node) bool { return c.Name == args[0] }
	if slices.ContainsFunc(parser.Model.Children, known) {
		return args[0] + " --help"
	}
	return "--help"
}

// fail prints one line and returns the exit code of err.
func (p *program) fail(err error) int {
	if errors.Is(err, context.Canceled) && p.ctx.Err() != nil {
		fmt.Fprintln(p.stderr, "kbench: interrupted before anything was measured")
		return bench.ExitInterrupted
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	text = strings.ReplaceAll(strings.TrimPrefix(text, "kbench: "), "kring: ", "")
	fmt.Fprintf(p.stderr, "kbench: %s\n", text)
	return bench.ExitCode(nil, false, err)
}

type versionCmd struct{}

func (versionCmd) Run(p *program) error {
	_, err := fmt.Fprintf(p.stdout, "kbench %s (%s %s/%s)\n", bench.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
