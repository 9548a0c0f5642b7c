//go:build unix

package bench

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// readUsage asks the kernel. A failure leaves zeroes: no system fails it.
func readUsage() usage {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return usage{}
	}
	u := usage{
		userNs: ru.Utime.Nano(), sysNs: ru.Stime.Nano(),
		ctxswVol: int64(ru.Nvcsw), ctxswInvol: int64(ru.Nivcsw),
		rssPeakBytes: int64(ru.Maxrss) << 10,
	}
	if runtime.GOOS == "darwin" {
		u.rssPeakBytes >>= 10 // There ru_maxrss is in bytes.
	}
	u.stealTicks, u.stealBase = readSteal()
	return u
}

// readSteal returns the time that the hypervisor gave to others, and all time,
// of all processors. Zeroes where there is no /proc/stat.
func readSteal() (steal, all int64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(line)
	const stealField = 8 // cpu user nice system idle iowait irq softirq steal
	if len(fields) <= stealField || fields[0] != "cpu" {
		return 0, 0
	}
	for i, field := range fields[1 : stealField+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0
		}
		all += n
		if i+1 == stealField {
			steal = n
		}
	}
	return steal, all
}
