package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// column adds up one column of intervals.csv.
func column(t *testing.T, text, name string) (sum int64, rows int) {
	t.Helper()
	table, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(table) == 0 {
		t.Fatalf("%v in %q", err, text)
	}
	at := slices.Index(table[0], name)
	for _, row := range table[1:] {
		n, err := strconv.ParseInt(row[at], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum, len(table) - 1
}

// TestIntervalsAddUp: also what came after the last tick, and the whole of a run
// that is shorter than an interval, is in a row.
func TestIntervalsAddUp(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"shorter than an interval": func(c *Config) { c.Interval = time.Hour },
		"no interval":              func(c *Config) { c.Interval = 0 },
		"several, and a warm-up": func(c *Config) {
			c.Mode, c.Rate, c.Records, c.Outstanding = ModeOpen, 2000, 0, 0
			c.Interval, c.Warmup, c.Duration = 30*time.Millisecond, 50*time.Millisecond, 200*time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := testConfig()
			change(&c)
			var rows bytes.Buffer
			r := mustRun(t, context.Background(), c, (&fakeClient{partitions: 3}).library(), Output{Intervals: &rows})
			acked, n := column(t, rows.String(), "acked")
			if want := r.Totals.Acked + r.Totals.Warmup; acked != want || n == 0 {
				t.Errorf("%d rows have %d records, the result %d\n%s", n, acked, want, &rows)
			}
			if failed, _ := column(t, rows.String(), "failed"); failed != 0 {
				t.Errorf("%d failed", failed)
			}
		})
	}
}

// serialClient promises one completion at a time.
type serialClient struct{ Client }

func (serialClient) CompletesSerially() bool { return true }

// TestOpenLoopCountsEachRecord: at a low rate, runs of records that nobody sees
// yet would look like a rate that is missed.
func TestOpenLoopCountsEachRecord(t *testing.T) {
	c := testConfig()
	c.Mode, c.Rate, c.Records, c.Outstanding, c.Senders = ModeOpen, 1000, publishEvery/2, 0, 1
	c.Interval = 0
	r := &run{cfg: &c, clock: NewClock(), begin: newMeter(), end: newMeter()}
	if err := r.prepare(); err != nil {
		t.Fatal(err)
	}
	defer r.senders[0].pacer.close()
	r.takeClients(team{serialClient{}})
	if r.rec.count(&r.rec.shards[0], false); r.rec.shards[0].acked.Load() != 1 {
		t.Error("a record of an open loop waits for others before it is counted")
	}
}

func TestOutDirHoldsOneRun(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{resultFile, hlogFile, ledgerFile, profileFile, "response.hgrm", "service.hgrm", "mine.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := testSession(t)
	s.OutDir = dir
	if _, err := Execute(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{intervalsFile, hlogFile, "mine.txt", resultFile, "service.hgrm"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

// TestResultSurvivesItsFolder: a disk that is full at the end costs the files,
// and not the measurement.
func TestResultSurvivesItsFolder(t *testing.T) {
	s, _ := testSession(t)
	s.OutDir = t.TempDir()
	inner := s.Library.New
	s.Library.New = func(settings Settings, done Done) (Client, error) {
		// While the run is under way, somebody takes the name.
		if err := os.Mkdir(filepath.Join(s.OutDir, resultFile), 0o700); err != nil {
			t.Error(err)
		}
		return inner(settings, done)
	}
	r, err := Execute(t.Context(), s)
	if err == nil || ExitCode(nil, false, err) != ExitRuntime || r == nil || r.Totals.Acked != 20_000 {
		t.Errorf("%v, %v", err, r)
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRowsThatCanNotBeWritten(t *testing.T) {
	out, err := openOutDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	out.rows.To, out.log = fullDisk{}, newIntervalLog()
	r := mustRun(t, context.Background(), testConfig(), (&fakeClient{partitions: 3}).library(), Output{Intervals: out.csv(), log: out.log})
	if err := out.write(r, nil); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
}

// TestWorkerHasNoIntervals: nobody knows them, so no empty file claims to.
func TestWorkerHasNoIntervals(t *testing.T) {
	s, _ := testSession(t)
	b := startCluster(t, 0)
	s.Config.Settings.Brokers, s.OutDir = b.Addrs(), t.TempDir()
	s.Worker = self(t, "worker")
	r, err := Execute(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.OutDir, intervalsFile)); r.Intervals != nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("intervals %v, %v", r.Intervals, err)
	}
}
