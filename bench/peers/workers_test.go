package peers_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kring-go/kring/bench"
)

// Every worker's records are all in the log, once, in order and byte for byte:
// a client that is fast because it sends something else is no peer.
func TestWorkersSendWhatTheyReport(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "./kring", "./franzgo", "./rawlimit")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the workers: %v\n%s", err, out)
	}
	for _, worker := range []string{"kring", "franzgo", "rawlimit"} {
		for _, test := range []struct {
			name        string
			senders     int
			rate        int64
			partitioner string
			acks        string
			linger      time.Duration
		}{
			{"flat out, dealt round", 1, 0, bench.PartitionerRoundRobin, "1", 5 * time.Millisecond},
			{"flat out, keyless, idempotent", 1, 0, bench.PartitionerClient, "all", 5 * time.Millisecond},
			{"open loop", 1, 5000, bench.PartitionerRoundRobin, "1", 0},
			{"open loop, 8 senders, idempotent", 8, 5000, bench.PartitionerRoundRobin, "all", 0},
			{"open loop, linger", 4, 5000, bench.PartitionerClient, "1", time.Millisecond},
		} {
			t.Run(worker+"/"+test.name, func(t *testing.T) {
				cfg := bench.Config{
					RunID: 7, Senders: test.senders, Mode: bench.ModeClosed, Rate: test.rate, Partitioner: test.partitioner,
					Partitions: 12, Sizes: bench.FixedSize(100), Records: 5000, Seed: 1, Verify: bench.VerifyFull, Quiet: true,
					MaxLag: time.Minute,
					Settings: bench.Settings{
						Acks: test.acks, Idempotent: test.acks == "all", Linger: test.linger, BatchSize: 16384, MaxInFlight: 5,
					},
				}
				if test.rate > 0 {
					cfg.Mode = bench.ModeOpen
				}
				var messages bytes.Buffer
				r, err := bench.Execute(t.Context(), bench.Session{
					Config: cfg, Worker: []string{filepath.Join(bin, worker)}, Messages: &messages,
				})
				if err != nil {
					t.Fatalf("%v\n%s", err, &messages)
				}
				if code := bench.ExitCode(r, false, nil); code != bench.ExitOK && code != bench.ExitInvalid {
					t.Errorf("exit code %d: %+v, errors %v", code, r.Verify, r.Errors)
				}
				if r.Totals.Acked != 5000 || r.Verify.Read != 5000 {
					t.Errorf("%d acknowledged and %d read, want 5000", r.Totals.Acked, r.Verify.Read)
				}
				if len(r.Client.Props) == 0 {
					t.Error("the result does not say what the client was told")
				}
			})
		}
	}
}
