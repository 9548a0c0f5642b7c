package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// onTerminal runs kbench as a process whose standard error is a terminal.
func onTerminal(t *testing.T, rows uint16, env []string, args ...string) (screen, stdout string) {
	t.Helper()
	terminal, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	defer terminal.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: rows, Cols: 70}); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, append([]string{"run", "-r", "2000", "-d", "1s", "-i", "100ms", "--senders", "1", "--max-lag", "10s", "--in-process"}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, tty
	cmd.Env = append(cmd.Env, "TERM=xterm", "CI=", "NO_COLOR=")
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(60*time.Second, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	_ = tty.Close() // The process has it.
	var seen bytes.Buffer
	// Ends with an error when the process, the last writer, has ended.
	_, _ = io.Copy(&seen, terminal)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &seen)
	}
	return seen.String(), out.String()
}

func TestTerminal(t *testing.T) {
	for _, tc := range []struct {
		name         string
		env, args    []string
		panel, color bool
		lines        bool
		rows         uint16
	}{
		{"terminal", nil, nil, true, true, false, 0},
		{"no colour", []string{"NO_COLOR=1"}, nil, true, false, false, 0},
		{"CI", []string{"CI=true"}, nil, false, false, true, 0},
		{"dumb", []string{"TERM=dumb"}, nil, false, false, true, 0},
		{"no name", []string{"TERM="}, nil, false, false, true, 0},
		{"low", nil, nil, false, false, false, 4},
		{"quiet", nil, []string{"--quiet"}, false, false, false, 0},
		{"json", nil, []string{"--format", "json"}, false, false, true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			screen, stdout := onTerminal(t, cmp.Or(tc.rows, 24), tc.env, tc.args...)
			if got := strings.Contains(screen, "under way"); got != tc.panel {
				t.Errorf("panel: %v, want %v\n%q", got, tc.panel, screen)
			}
			if got := strings.Contains(screen, "\x1b[1m"); got != tc.color {
				t.Errorf("colours: %v, want %v\n%q", got, tc.color, screen)
			}
			if got := strings.Contains(screen, "rec/s  ") && !strings.Contains(screen, "\x1b["); got != tc.lines {
				t.Errorf("plain lines: %v, want %v\n%q", got, tc.lines, screen)
			}
			if strings.Contains(stdout, "\x1b[") || !strings.Contains(stdout, "acked") {
				t.Errorf("standard output has escapes, or no result: %q", stdout)
			}
		})
	}
}

func TestPipeGetsLines(t *testing.T) {
	var out, messages bytes.Buffer
	p := &program{ctx: context.Background(), args: strings.Fields("run -r 2000 -d 500ms -i 100ms --in-process --max-lag 10s --max-steal 100"), stdin: strings.NewReader(""), stdout: &out, stderr: &messages}
	if code := p.run(); code != 0 {
		t.Fatalf("exit code %d, %s", code, &messages)
	}
	if text := messages.String(); strings.Contains(text, "\x1b") || strings.Count(text, "rec/s  ") < 2 {
		t.Errorf("want plain lines, got %q", text)
	}
	if w, _ := size(&program{stderr: io.Discard}); w != 0 {
		t.Errorf("a writer that is no terminal has %d columns", w)
	}
	if f, err := os.Open(os.DevNull); err == nil {
		defer f.Close()
		if w, _ := size(&program{stderr: f}); w != 0 {
			t.Errorf("%s has %d columns", os.DevNull, w)
		}
	}
}
