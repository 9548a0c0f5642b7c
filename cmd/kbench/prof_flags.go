package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// pprofFlags gives pprof a command line of its own in place of the program's.
type pprofFlags struct {
	*flag.FlagSet
	args []string
}

func newPprofFlags(args []string) *pprofFlags {
	set := flag.NewFlagSet("pprof", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return &pprofFlags{set, args}
}

// StringList implements driver.FlagSet; kbench gives none of those flags.
func (f *pprofFlags) StringList(name, def, usage string) *[]*string {
	return &[]*string{f.String(name, def, usage)}
}

// ExtraUsage implements driver.FlagSet.
func (*pprofFlags) ExtraUsage() string { return "" }

// AddExtraUsage implements driver.FlagSet.
func (*pprofFlags) AddExtraUsage(string) {}

// Parse implements driver.FlagSet.
func (f *pprofFlags) Parse(usage func()) []string {
	if err := f.FlagSet.Parse(f.args); err != nil {
		usage()
		return nil
	}
	return f.Args()
}

// pprofUI passes on what pprof has to say, and keeps its errors.
type pprofUI struct {
	w      io.Writer
	failed string
}

// ReadLine implements driver.UI: nobody types anything.
func (*pprofUI) ReadLine(string) (string, error) { return "", io.EOF }

// Print implements driver.UI.
func (u *pprofUI) Print(args ...any) {
	if text := strings.TrimSpace(fmt.Sprint(args...)); text != "" {
		fmt.Fprintln(u.w, text)
	}
}

// PrintErr implements driver.UI. Remarks on missing sources are not worth a
// line; an error of PProf itself is reported once, by the caller.
func (u *pprofUI) PrintErr(args ...any) { u.failed = fmt.Sprint(args...) }

// IsTerminal implements driver.UI.
func (*pprofUI) IsTerminal() bool { return false }

// WantBrowser implements driver.UI.
func (*pprofUI) WantBrowser() bool { return true }

// SetAutoComplete implements driver.UI.
func (*pprofUI) SetAutoComplete(func(string) string) {}
