package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	resultFile    = "result.json"
	intervalsFile = "intervals.csv"
	hlogFile      = "latency.hlog"
	ledgerFile    = "ledger.json"
	profileFile   = "cpu.pprof" // of kbench run --profile
)

// outDir is the folder of --out. It is opened before the run: a folder that can
// not be written should not cost anybody a measurement.
type outDir struct {
	path      string
	intervals *os.File
	rows      KeepError
	log       *intervalLog // nil where another program ran the client
}

// KeepError remembers a writer's first error, for those who print without
// looking.
type KeepError struct {
	To  io.Writer
	Err error
}

func (k *KeepError) Write(text []byte) (int, error) {
	n, err := k.To.Write(text)
	if k.Err == nil {
		k.Err = err
	}
	return n, err
}

func openOutDir(path string) (*outDir, error) {
	if path == "" {
		return nil, nil
	}
	fail := func(err error) error { return UsageError(fmt.Errorf("--out %s can not be written: %w", path, err)) }
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fail(err)
	}
	// What is left of an earlier run would pass for this one's.
	for _, name := range []string{resultFile, hlogFile, ledgerFile, profileFile, "response.hgrm", "service.hgrm"} {
		if err := os.Remove(filepath.Join(path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fail(err)
		}
	}
	f, err := os.Create(filepath.Join(path, intervalsFile))
	if err != nil {
		return nil, fail(err)
	}
	return &outDir{path: path, intervals: f, rows: KeepError{To: f}}, nil
}

// csv is where the intervals go; nil without a folder.
func (d *outDir) csv() io.Writer {
	if d == nil {
		return nil
	}
	return &d.rows
}

// write stores the result, and what verifies it later, and closes the folder's
// files.
func (d *outDir) write(r *Result, brokers []string) error {
	if d == nil {
		return nil
	}
	name, hlog := intervalsFile, hlogFile
	r.Intervals, r.Hlog = &name, &hlog
	err := errors.Join(d.rows.Err, d.intervals.Close())
	if err == nil && d.log == nil { // Another program's intervals are not known.
		r.Intervals = nil
		err = os.Remove(d.intervals.Name())
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := d.writeHistograms(r); err != nil {
		return err
	}
	if r.Ledger != nil && !r.Broker.Embedded && r.Verify.Mode == VerifyFull {
		account := savedLedger{Schema: ledgerSchema, Brokers: brokers, Ledger: r.Ledger}
		if err := d.create(ledgerFile, func(w io.Writer) error { return json.NewEncoder(w).Encode(&account) }); err != nil {
			return err
		}
	}
	return d.create(resultFile, func(w io.Writer) error { return WriteJSON(w, r) })
}

// writeHistograms stores the histogram log, and the headline's spectrum under
// its name: response.hgrm, or service.hgrm after a closed loop.
func (d *outDir) writeHistograms(r *Result) error {
	if err := d.create(hlogFile, func(w io.Writer) error { return writeHlog(w, r, d.log) }); err != nil {
		return err
	}
	name, latency := r.Headline()
	if latency == nil {
		return nil // Nothing was acknowledged.
	}
	headline, err := latency.Distribution(name)
	if err != nil {
		return err
	}
	return d.create(name+".hgrm", headline.WriteHgrm)
}

// create writes one file of the folder.
func (d *outDir) create(name string, write func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(d.path, name))
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := write(f); err != nil {
		_ = f.Close() // The first error is the one that matters.
		return fmt.Errorf("--out: %w", err)
	}
	return f.Close()
}

// WriteJSON prints a result without its ledger, which is for verification only.
func WriteJSON(w io.Writer, r *Result) error {
	public := *r
	public.Ledger = nil
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(&public)
}
