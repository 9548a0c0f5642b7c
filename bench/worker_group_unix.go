//go:build unix && !linux

package bench

import "syscall"

// ownGroup gives a worker a process group, so that what it starts can be ended
// with it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
