package stages

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"
)

// Stage is what was spent in one of the places that a record passes.
type Stage struct {
	Name  string
	About string
	Ns    int64  // processor time, all samples of the stage together
	Most  string // the function in which most of it was spent, and its share
}

// Report is a whole profile, sorted into stages. The stages' times add up to
// TotalNs, which is the sum of all samples.
type Report struct {
	Stages  []Stage
	TotalNs int64
	// Records is how many were acknowledged meanwhile; 0 if the file does not say.
	Records int64
}

// recordsComment stands in profiles that kbench run --profile wrote.
const recordsComment = "kbench records "

// Note writes into a profile how many records it is about.
func Note(name string, records int64) error {
	p, err := parse(name)
	if err != nil {
		return err
	}
	p.Comments = append(p.Comments, recordsComment+strconv.FormatInt(records, 10))
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("kbench: %w", err)
	}
	if err := p.Write(f); err != nil {
		_ = f.Close() // The first error is the one that matters.
		return fmt.Errorf("kbench: %s can not be written: %w", name, err)
	}
	return f.Close()
}

// Read sorts the CPU profile in a file.
func Read(name string) (*Report, error) {
	p, err := parse(name)
	if err != nil {
		return nil, err
	}
	return Of(p)
}

func parse(name string) (*profile.Profile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("kbench: %w", err)
	}
	p, err := profile.Parse(f)
	_ = f.Close() // It was only read.
	if err != nil {
		return nil, fmt.Errorf("kbench: %s is not a profile: %w", name, err)
	}
	return p, nil
}

// Of sorts a CPU profile. Other kinds of profiles are refused.
func Of(p *profile.Profile) (*Report, error) {
	at := slices.IndexFunc(p.SampleType, func(v *profile.ValueType) bool { return v.Type == "cpu" && v.Unit == "nanoseconds" })
	if at < 0 {
		return nil, errors.New("kbench: the profile counts no CPU time: take it with kbench run --profile or --cpuprofile")
	}
	r := &Report{Stages: about()}
	table := rules()
	leaves := make([]map[string]int64, len(r.Stages))
	for _, s := range p.Sample {
		stack := frames(s)
		stage := classify(table, stack)
		i := slices.IndexFunc(r.Stages, func(known Stage) bool { return known.Name == stage })
		r.Stages[i].Ns += s.Value[at]
		r.TotalNs += s.Value[at]
		if len(stack) > 0 {
			if leaves[i] == nil {
				leaves[i] = map[string]int64{}
			}
			leaves[i][stack[0]] += s.Value[at]
		}
	}
	for i := range r.Stages {
		r.Stages[i].Most = most(leaves[i], r.Stages[i].Ns)
	}
	for _, comment := range p.Comments {
		if text, ok := strings.CutPrefix(comment, recordsComment); ok {
			var err error
			if r.Records, err = strconv.ParseInt(text, 10, 64); err != nil {
				return nil, fmt.Errorf("kbench: the profile's comment %q is damaged: %w", comment, err)
			}
		}
	}
	return r, nil
}

// frames are the names of a sample's functions, inlined ones too, leaf first.
func frames(s *profile.Sample) []string {
	var names []string
	for _, l := range s.Location {
		for _, line := range l.Line {
			if line.Function != nil {
				names = append(names, line.Function.Name)
			}
		}
	}
	return names
}

// most names the heaviest leaf, by name where two are alike.
func most(leaves map[string]int64, of int64) string {
	heaviest, ns := "", int64(0)
	for name, v := range leaves {
		if v > ns || v == ns && name < heaviest {
			heaviest, ns = name, v
		}
	}
	if ns == 0 {
		return ""
	}
	return fmt.Sprintf("%s %.0f %%", path.Base(heaviest), 100*float64(ns)/float64(of))
}

// Write prints nanoseconds of processor time per record; without records, the
// milliseconds of the whole profile.
func (r *Report) Write(w io.Writer) error {
	unit, of := "ns/rec", float64(r.Records)
	if r.Records <= 0 {
		unit, of = "ms", 1e6
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %9s %8s   %-60s %s\n", "PROFILE", unit, "share", "", "mostly")
	for _, s := range r.Stages {
		if s.Ns == 0 {
			continue
		}
		fmt.Fprintf(&b, " %-9s %9.1f %6.1f %%   %-60s %s\n", s.Name, float64(s.Ns)/of, 100*float64(s.Ns)/float64(r.TotalNs), "<- "+s.About, s.Most)
	}
	fmt.Fprintf(&b, " %-9s %9.1f %6.1f %%\n", "total", float64(r.TotalNs)/of, 100*min(1, float64(r.TotalNs)))
	_, err := io.WriteString(w, b.String())
	return err
}
