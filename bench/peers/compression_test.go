package peers_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

// testCompressed: every codec reaches the library and the wire, and what
// arrives is text, byte for byte.
func (p *program) testCompressed(t *testing.T) {
	for _, codec := range bench.Codecs() {
		t.Run(codec, func(t *testing.T) {
			cfg := plan(3000)
			cfg.Payload, cfg.Sizes, cfg.Settings.Compression = bench.PayloadText, bench.FixedSize(1000), codec
			var messages bytes.Buffer
			r, err := bench.Execute(t.Context(), bench.Session{Config: cfg, Worker: []string{p.path}, Messages: &messages})
			if p.name == "rawlimit" && codec != bench.CompressionNone {
				if bench.ExitCode(nil, false, err) != bench.ExitSkipped || !strings.Contains(messages.String(), "does not compress") {
					t.Errorf("%v, %s: want it to be skipped", err, &messages)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, &messages)
			}
			if r.Totals.Acked != 3000 || r.Verify.Read != 3000 || r.Verify.Failed() {
				t.Errorf("%d acknowledged, %+v, errors %v", r.Totals.Acked, r.Verify, r.Errors)
			}
			if r.Workload.Payload != bench.PayloadText || r.Workload.Compressibility < 0.5 {
				t.Errorf("payload %q, of which %.2f is fixed", r.Workload.Payload, r.Workload.Compressibility)
			}
			share := float64(*r.Totals.BatchBytes) / float64(r.Totals.Bytes)
			t.Logf("%.2f of the bytes in %d batches", share, *r.Totals.Batches)
			if low, high := 0.15, 0.75; codec != bench.CompressionNone && (share < low || share > high) {
				t.Errorf("%.2f of the bytes were sent, want %.2f to %.2f", share, low, high)
			}
			if codec == bench.CompressionNone && share < 1 {
				t.Errorf("%.2f of the bytes were sent, want all", share)
			}
			if p.name != "rawlimit" && !p.shows(r, codec) {
				t.Errorf("%s is in none of its settings: %v", codec, r.Client.Props)
			}
		})
	}
}

// shows looks for the codec under the name that the library gives it.
func (*program) shows(r *bench.Result, codec string) bool {
	for _, name := range []string{"ProducerBatchCompression", "Producer.Compression", "Compression", "compression.type"} {
		if value, ok := r.Client.Props[name]; ok && value != codec {
			return false
		}
	}
	return len(r.Client.Props) > 0
}
