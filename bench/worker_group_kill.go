//go:build unix

package bench

import (
	"os"
	"syscall"
)

// interruptGroup is Ctrl-C for a worker and what it has started.
func interruptGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGINT) }

// killGroup ends whatever is left of them.
func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // Nothing is left as a rule.
}
