package peers_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/bench/broker"
)

// run gives a worker its plan.
func (p *program) run(t *testing.T, cfg bench.Config) (r *bench.Result, stderr string, code int) {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), p.path)
	var messages bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), &messages
	out, err := cmd.Output()
	if err != nil {
		return nil, messages.String(), exitCode(err)
	}
	r = &bench.Result{}
	if err := json.Unmarshal(out, r); err != nil {
		t.Fatalf("its result: %v\n%s", err, out)
	}
	return r, messages.String(), 0
}

// where is what a broker saw: partition and time of every record, and the
// partitions of every key.
type where struct {
	mu   sync.Mutex
	seqs map[uint64]int32 // by the tag: sender << 48 + sequence
	keys map[string]map[int32]bool
	at   map[uint64]time.Time
}

// listen starts a broker that books every record.
func listen(t *testing.T, partitions int) (*where, []string) {
	t.Helper()
	w := &where{seqs: map[uint64]int32{}, keys: map[string]map[int32]bool{}, at: map[uint64]time.Time{}}
	b, err := broker.Start(broker.Config{Partitions: partitions, OnRecord: func(r *broker.Record) {
		w.mu.Lock()
		defer w.mu.Unlock()
		tag := binary.BigEndian.Uint64(r.Value[8:]) // the second word of a stamp
		w.seqs[tag], w.at[tag] = r.Partition, time.Now()
		if w.keys[string(r.Key)] == nil {
			w.keys[string(r.Key)] = map[int32]bool{}
		}
		w.keys[string(r.Key)][r.Partition] = true
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, b.Addrs()
}

func (p *program) testPartitions(t *testing.T) {
	t.Run("dealt round", func(t *testing.T) {
		w, addrs := listen(t, 5)
		cfg := plan(1000)
		cfg.Partitions, cfg.Settings.Brokers, cfg.Settings.Topic = 5, addrs, "dealt"
		if _, stderr, code := p.run(t, cfg); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.seqs) != 1000 {
			t.Errorf("%d records have arrived, want 1000", len(w.seqs))
		}
		for seq, partition := range w.seqs {
			if partition != int32(seq%5) {
				t.Fatalf("record %d is in partition %d, want %d", seq, partition, seq%5)
			}
		}
	})
	t.Run("by key", func(t *testing.T) {
		if !p.keyed {
			t.Skip("it has no partitioner")
		}
		w, addrs := listen(t, 5)
		cfg := plan(1000)
		keys, err := bench.ParseKeys("uniform:50")
		if err != nil {
			t.Fatal(err)
		}
		cfg.Keys, cfg.Partitioner = keys, bench.PartitionerClient
		cfg.Partitions, cfg.Settings.Brokers, cfg.Settings.Topic = 5, addrs, "keyed"
		if _, stderr, code := p.run(t, cfg); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.seqs) != 1000 || len(w.keys) != 50 {
			t.Errorf("%d records with %d keys have arrived, want 1000 with 50", len(w.seqs), len(w.keys))
		}
		used := map[int32]bool{}
		for key, partitions := range w.keys {
			if len(partitions) != 1 {
				t.Errorf("key %s is in %d partitions", key, len(partitions))
			}
			maps.Copy(used, partitions)
		}
		if len(used) != 5 {
			t.Errorf("50 keys are in %d of 5 partitions", len(used))
		}
	})
}

// The senders take turns: with 4 of them and 4 records a second, the last one's
// second record is due 750 ms after the first one's.
func (p *program) testTimetable(t *testing.T) {
	if testing.Short() && p.name != "java" {
		t.Skip("-short: the workers in Go share their timetable, which package bench tests")
	}
	w, addrs := listen(t, 12)
	cfg := plan(8)
	cfg.Senders, cfg.Mode, cfg.Rate = 4, bench.ModeOpen, 4
	cfg.Settings.Brokers, cfg.Settings.Topic = addrs, "timetable"
	if _, stderr, code := p.run(t, cfg); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.at) != 8 {
		t.Fatalf("%d records have arrived, want 8", len(w.at))
	}
	if gap := w.at[3<<48|1].Sub(w.at[1]); gap < 300*time.Millisecond {
		t.Errorf("the last sender's second record came %v after the first one's, want about 750ms", gap)
	}
}

// The result says what the client was told, so that a reader can judge whether
// all were told the same.
func (p *program) testSettings(t *testing.T) {
	_, addrs := listen(t, 12)
	cfg := plan(500)
	cfg.Settings = bench.Settings{
		Brokers: addrs, Topic: "settings", Acks: "1", Linger: 7 * time.Millisecond, BatchSize: 20000, BufferBytes: 8 << 20, MaxInFlight: 3,
	}
	r, stderr, code := p.run(t, cfg)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for name, want := range p.shown {
		if got := r.Client.Props[name]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if r.Client.Name != p.name || r.Client.Version == "" || r.Client.Version == "unknown" || r.Schema != bench.SchemaName {
		t.Errorf("client %s, version %q, schema %s", r.Client.Name, r.Client.Version, r.Schema)
	}
}

// Nobody waits for a client that goes on trying.
func (p *program) testUnreachable(t *testing.T) {
	cfg := plan(100)
	cfg.Settings.Brokers, cfg.Settings.Topic = []string{"127.0.0.1:1"}, "nowhere"
	begin := time.Now()
	r, stderr, code := p.run(t, cfg)
	if code != bench.ExitRuntime || r != nil {
		t.Errorf("exit code %d with result %v, want %d without", code, r, bench.ExitRuntime)
	}
	if !strings.Contains(stderr, "127.0.0.1:1") {
		t.Errorf("it does not say whom it could not reach: %s", stderr)
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A plan that makes no sense is the user's fault, and is told from others.
func (p *program) testRefusedPlan(t *testing.T) {
	cfg := plan(0) // nothing to do
	if _, stderr, code := p.run(t, cfg); code != bench.ExitUsage || stderr == "" {
		t.Errorf("exit code %d and %q, want %d and a reason", code, stderr, bench.ExitUsage)
	}
}
