package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// worker is a client's program.
type worker struct {
	name    string
	command []string
	// alone makes the flat-out plan one of a single goroutine.
	alone bool
	props map[string]string
	// warmup is the least that the client needs before its numbers mean
	// anything.
	warmup time.Duration
	// optional programs are skipped where they can not be built.
	optional bool
}

// javaWarmup is when the virtual machine has compiled what is hot.
const javaWarmup = 10 * time.Second

// clientNames are the names that workers knows, beside NAME=PROGRAM.
const clientNames = "kring, kring-inline, franz-go, franz-go-plain, sarama, kafka-go, librdkafka, java, rawlimit, null"

// workers knows where each client's program is, once built into bin.
func workers(bin string, names []string) ([]worker, error) {
	var out []worker
	for _, name := range names {
		if label, program, ok := strings.Cut(name, "="); ok {
			out = append(out, worker{name: label, command: []string{program}})
			continue
		}
		in := func(program string) []string { return []string{filepath.Join(bin, program)} }
		switch name {
		case "kring", "sarama", "null":
			out = append(out, worker{name: name, command: in(name)})
		case "rawlimit":
			out = append(out, worker{name: name, command: in(name), alone: true})
		case "kring-inline":
			out = append(out, worker{name: name, command: in("kring"), props: map[string]string{"kring.delivery.inline": "true"}})
		case "franz-go":
			out = append(out, worker{name: name, command: in("franzgo")})
		case "franz-go-plain":
			out = append(out, worker{name: name, command: in("franzgo"), props: map[string]string{"franz-go.plain": "true"}})
		case "kafka-go":
			out = append(out, worker{name: name, command: in("kafkago")})
		case "librdkafka":
			out = append(out, worker{name: name, command: in(name), optional: true})
		case "java":
			out = append(out, worker{name: name, command: []string{filepath.Join("java", "run")}, warmup: javaWarmup, optional: true})
		default:
			return nil, fmt.Errorf("client %q is none of %s, NAME=PROGRAM", name, clientNames)
		}
	}
	return out, nil
}

// packageOf is the folder of a client's program in this module; "" for those
// that are built in another way.
func packageOf(name string) string {
	if name == "java" || name == "librdkafka" || strings.Contains(name, "=") {
		return ""
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, "-plain"), "-inline")
	return "./" + strings.ReplaceAll(name, "-", "")
}

// build compiles the workers that are needed, and the broker. Those that need
// more than Go may be missing afterwards; then a line says why.
func build(ctx context.Context, bin string, names []string) error {
	into := bin + string(filepath.Separator)
	// The broker is kbench's, which is a module of its own.
	if err := command(ctx, "go", "build", "-C", filepath.Join("..", "..", "cmd", "kbench"), "-o", into, ".").Run(); err != nil {
		return fmt.Errorf("building the broker (run this in bench/peers): %w", err)
	}
	args := []string{"build", "-o", into}
	for _, name := range names {
		if target := packageOf(name); target != "" && !slices.Contains(args, target) {
			args = append(args, target)
		}
	}
	// Without any, go would build the folder it stands in.
	if len(args) > 3 {
		if err := command(ctx, "go", args...).Run(); err != nil {
			return fmt.Errorf("building the workers: %w", err)
		}
	}
	if slices.Contains(names, "librdkafka") {
		if err := command(ctx, "go", "build", "-C", "librdkafka", "-o", into, ".").Run(); err != nil {
			fmt.Fprintf(os.Stderr, "compare: librdkafka: skipped: its worker can not be built: %v\n", err)
		}
	}
	if slices.Contains(names, "java") {
		// Beforehand, because Maven may take longer than a run may.
		if err := command(ctx, filepath.Join("java", "run"), "build").Run(); err != nil && !skips(err) {
			return fmt.Errorf("building the worker for Java: %w", err)
		}
	}
	return nil
}

// command is a program whose words all go to standard error: standard output is
// the comparison's.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd
}
