package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
)

// readEnv describes the machine and the build. What is not known is null.
func readEnv(clockCostNs int64) EnvInfo {
	e := EnvInfo{
		Kernel: runtime.GOOS, CPUModel: runtime.GOARCH, CPUs: runtime.NumCPU(), ClockCostNs: clockCostNs,
		GOMAXPROCS: runtime.GOMAXPROCS(0), GOGC: "100",
		CgroupCPUQuota: fileLine("/sys/fs/cgroup/cpu.max"),
		Governor:       fileLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		Clocksource:    fileLine("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
	}
	if release := fileLine("/proc/sys/kernel/osrelease"); release != nil {
		e.Kernel = *release
	}
	if model := cpuModel(); model != "" {
		e.CPUModel = model
	}
	if v, ok := os.LookupEnv("GOGC"); ok {
		e.GOGC = v
	}
	if v, ok := os.LookupEnv("GOMEMLIMIT"); ok {
		e.GOMEMLIMIT = &v
	}
	if host, err := os.Hostname(); err == nil {
		sum := sha256.Sum256([]byte(host))
		e.HostnameHash = hex.EncodeToString(sum[:4])
	}
	readBuild(&e)
	return e
}

// readBuild takes what the linker wrote down about flags.
func readBuild(e *EnvInfo) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	var flags []string
	for _, s := range info.Settings {
		switch {
		case s.Key == "GOAMD64":
			e.GOAMD64 = &s.Value
		case s.Key == "-pgo":
			e.PGO = true
			flags = append(flags, "-pgo")
		case strings.HasPrefix(s.Key, "-"):
			flags = append(flags, s.Key+"="+s.Value)
		}
	}
	e.BuildFlags = strings.Join(flags, " ")
}

// buildRevision is the commit that this program was built from, "" if unknown,
// with a + when there were changes on top of it.
func buildRevision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + changed
}

// Version is the module's version as built, with its revision.
func Version() string {
	version := "dev"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	} else if r := buildRevision(); r != "" {
		version += " " + r
	}
	return version
}

// fileLine is the first line of a file of /proc or /sys, nil if there is none.
func fileLine(name string) *string {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return &line
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// properties is the settings in Java's words, for the result. Secrets can not
// be among them: their properties are not supported, and unknown ones refused.
func (s *Settings) properties() map[string]string {
	if s.Defaults {
		return s.named(map[string]string{})
	}
	out := map[string]string{
		"acks": s.Acks, "enable.idempotence": strconv.FormatBool(s.Idempotent),
		"linger.ms": strconv.FormatInt(s.Linger.Milliseconds(), 10), "compression.type": s.Codec(),
	}
	for name, n := range map[string]int64{
		"batch.size": int64(s.BatchSize), "buffer.memory": s.BufferBytes,
		"max.in.flight.requests.per.connection": int64(s.MaxInFlight),
	} {
		if n > 0 {
			out[name] = strconv.FormatInt(n, 10)
		}
	}
	return s.named(out)
}

// named adds what the user named.
func (s *Settings) named(out map[string]string) map[string]string {
	for name, value := range s.Props {
		if SecretName(name) {
			value = "[redacted]"
		}
		out[name] = value
	}
	return out
}

// SecretName reports whether a property may hold a secret. It errs on the side of hiding.
func SecretName(name string) bool {
	for _, part := range []string{"password", "passphrase", "secret", "jaas", "token", "credential", "keystore.key", "client.key"} {
		if strings.Contains(strings.ToLower(name), part) {
			return true
		}
	}
	return false
}

// sortedKeys is for output that must not depend on the order of a map.
func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// fileLines are all lines of a file of /proc or /sys; none if there is no such file.
func fileLines(name string) []string {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\n")
}
