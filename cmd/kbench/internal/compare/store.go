package compare

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/kring-go/kring/bench"
)

// Validate refuses before the first run what every run would refuse.
func (o *Options) Validate() error {
	for i := range o.Scenarios {
		plan, err := o.Scenarios[i].plan(o)
		if err == nil {
			err = plan.Validate()
		}
		if err != nil {
			return fmt.Errorf("scenario %s: %w", o.Scenarios[i].Name, err)
		}
	}
	return nil
}

// Writable makes the results' folder. One that can not be written should not
// cost anybody a measurement.
func Writable(dir string) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".kbench-"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
	}
	return nil
}

// Replace removes an earlier comparison's runs from a client's folder: where it
// had more of them, the rest would be read as this one's.
func Replace(dir string) error {
	// NN.json of compare, NNN-RATE.json of ramp.
	run := regexp.MustCompile(`^[0-9]{2,}(-[0-9]+)?\.json$`)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // There is none yet.
	}
	for _, e := range entries {
		if !run.MatchString(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
		}
	}
	return nil
}

// store writes one file of the results' folder.
func store(dir, name string, r *bench.Result) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return bench.UsageError(fmt.Errorf("--out %s can not be written: %w", dir, err))
	}
	return errors.Join(bench.WriteJSON(f, r), f.Close())
}
