//go:build !unix

package bench

import (
	"os"
	"syscall"
)

// There are no process groups that we know of here: a worker alone is ended.
func ownGroup() *syscall.SysProcAttr { return nil }

func interruptGroup(p *os.Process) error { return p.Signal(os.Interrupt) }

func killGroup(p *os.Process) { _ = p.Kill() } // It has ended as a rule.
