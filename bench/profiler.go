package bench

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiler takes the profiles of the measured phase. Its files are created
// before the run, so that an unwritable one is no surprise afterwards.
type profiler struct {
	cfg   Profiles
	files map[string]*os.File // by kind
	on    bool
}

// Kinds of profiles; heap, mutex and block are also their names in pprof.
const (
	profileCPU   = "cpu"
	profileHeap  = "allocs"
	profileMutex = "mutex"
	profileBlock = "block"
)

func newProfiler(cfg Profiles) (*profiler, error) {
	p := &profiler{cfg: cfg, files: map[string]*os.File{}}
	for kind, name := range p.names() {
		if name == "" {
			continue
		}
		f, err := os.Create(name)
		if err != nil {
			p.close()
			return nil, UsageError(fmt.Errorf("kbench: cannot write the %s profile: %w", kind, err))
		}
		p.files[kind] = f
	}
	return p, nil
}

func (p *profiler) names() map[string]string {
	return map[string]string{
		profileCPU: p.cfg.CPU, profileHeap: p.cfg.Heap, profileMutex: p.cfg.Mutex, profileBlock: p.cfg.Block,
	}
}

// written lists the files, for the result.
func (p *profiler) written() []string {
	out := []string{}
	for _, kind := range []string{profileCPU, profileHeap, profileMutex, profileBlock} {
		if name := p.names()[kind]; name != "" {
			out = append(out, name)
		}
	}
	return out
}

// start switches everything on. Every contended lock and every wait is counted,
// not a sample of them: the question is whether there is any.
func (p *profiler) start() error {
	if len(p.files) == 0 {
		return nil
	}
	p.on = true
	if p.files[profileMutex] != nil {
		runtime.SetMutexProfileFraction(1)
	}
	if p.files[profileBlock] != nil {
		runtime.SetBlockProfileRate(1)
	}
	if f := p.files[profileCPU]; f != nil {
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("kbench: cpu profile: %w", err)
		}
	}
	return nil
}

// stop switches everything off and writes the files. The allocation profile
// counts from the start of the process; the others from start.
func (p *profiler) stop() {
	if !p.on {
		return
	}
	p.on = false
	if p.files[profileCPU] != nil {
		pprof.StopCPUProfile()
	}
	for kind, f := range p.files {
		if kind == profileCPU {
			continue
		}
		if err := pprof.Lookup(kind).WriteTo(f, 0); err != nil {
			fmt.Fprintf(os.Stderr, "kbench: %s profile: %v\n", kind, err)
		}
	}
	runtime.SetMutexProfileFraction(0)
	runtime.SetBlockProfileRate(0)
}

func (p *profiler) close() {
	p.stop()
	for _, f := range p.files {
		_ = f.Close() // A profile that is short shows when it is opened.
	}
}
