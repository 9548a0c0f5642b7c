package kringprom_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringprom"
)

// checkStages compares the histograms of a producer at rest with its own
// latencies.
func checkStages(t *testing.T, p *kring.Producer, all map[string]*dto.Metric) {
	t.Helper()
	l := p.Latencies()
	for stage, want := range map[string]kring.Latency{
		"fill": l.Fill, "queue": l.Queue, "write": l.Write, "ack": l.Ack, "callback": l.Callback,
	} {
		m := all["kring_producer_stage_duration_seconds{"+stage+"}"]
		if m == nil {
			t.Errorf("stage %s is not shown", stage)
			continue
		}
		h := m.GetHistogram()
		if h.GetSampleCount() != want.Count() || h.GetSampleSum() != want.Sum().Seconds() || want.Count() == 0 {
			t.Errorf("stage %s: %d in %v s, want %d in %v", stage, h.GetSampleCount(), h.GetSampleSum(), want.Count(), want.Sum())
		}
		var below uint64
		for _, b := range h.GetBucket() {
			if b.GetCumulativeCount() < below {
				t.Errorf("stage %s: fewer below %v s than before it", stage, b.GetUpperBound())
			}
			below = b.GetCumulativeCount()
		}
		if first, last := h.GetBucket()[0].GetUpperBound(), h.GetBucket()[len(h.GetBucket())-1].GetUpperBound(); first != 1e-4 || last != 30 {
			t.Errorf("the bounds are %v to %v s, want 100 µs to 30 s", first, last)
		}
	}
}

// TestScrape reads what a server of Prometheus reads.
func TestScrape(t *testing.T) {
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(kringprom.New(counted(), kringprom.Labels{"client_id": "a"}))
	w := httptest.NewRecorder()
	promhttp.HandlerFor(r, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{
		`kring_producer_stuck_callbacks_total{client_id="a"} 14`,
		`kring_producer_compressor_input_bytes_total{client_id="a"} 15`,
		`kring_producer_compressor_output_bytes_total{client_id="a"} 16`,
		`kring_producer_stage_duration_seconds_bucket{client_id="a",stage="ack",le="0.0001"} 0`,
		`kring_producer_stage_duration_seconds_count{client_id="a",stage="callback"} 0`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("the page has no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(w.Body.String())
	}
}
