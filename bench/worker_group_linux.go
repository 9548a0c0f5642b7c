package bench

import "syscall"

// ownGroup gives a worker a process group, so that what it starts can be ended
// with it, and ends it should this process be killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
