package bench

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiler takes the profiles of the measured phase. Its files are created
// before the run, so that an unwritable one is no surprise afterwards.
type profiler struct {
	cfg   Profiles
	files map[string]*profileSink // by kind
	on    bool
	err   error // what could not be written
}

// profileSink remembers what pprof does not tell of a CPU profile.
type profileSink struct {
	KeepError
	file *os.File
}

// Kinds of profiles; heap, mutex and block are also their names in pprof.
const (
	profileCPU   = "cpu"
	profileHeap  = "allocs"
	profileMutex = "mutex"
	profileBlock = "block"
)

func newProfiler(cfg Profiles) (*profiler, error) {
	p := &profiler{cfg: cfg, files: map[string]*profileSink{}}
	for kind, name := range p.names() {
		if name == "" {
			continue
		}
		f, err := os.Create(name)
		if err != nil {
			_ = p.close() // Nothing was written.
			return nil, UsageError(fmt.Errorf("kbench: cannot write the %s profile: %w", kind, err))
		}
		p.files[kind] = &profileSink{KeepError{To: f}, f}
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
		if err := pprof.Lookup(kind).WriteTo(f, 0); err != nil && f.Err == nil {
			f.Err = err
		}
	}
	runtime.SetMutexProfileFraction(0)
	runtime.SetBlockProfileRate(0)
}

// close says what is not as asked for on the disk. The second call says the same.
func (p *profiler) close() error {
	p.stop()
	for kind, f := range p.files {
		if err := errors.Join(f.Err, f.file.Close()); err != nil {
			p.err = errors.Join(p.err, fmt.Errorf("kbench: the %s profile is not complete: %w", kind, err))
		}
	}
	clear(p.files)
	return p.err
}
