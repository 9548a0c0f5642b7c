package guides

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
)

// byTopic counts what is in the batches of each topic.
type byTopic struct{ bytes, failed *prometheus.CounterVec }

func (h byTopic) OnBatchFinished(e kring.BatchFinished) {
	h.bytes.WithLabelValues(e.Topic).Add(float64(e.Bytes))
	if e.Err != nil {
		h.failed.WithLabelValues(e.Topic).Add(float64(e.Records))
	}
}

// refusals logs who refuses what.
type refusals struct{ log *slog.Logger }

func (h refusals) OnRequestAnswered(e kring.RequestAnswered) {
	for code, n := range e.Codes {
		h.log.Warn("kafka refuses batches", "broker", e.Broker, "code", code.Name(), "batches", n)
	}
}

var (
	_ kring.HookBatchFinished   = byTopic{}
	_ kring.HookRequestAnswered = refusals{}
)

// watched is observability.md's producer with hooks.
func watched(bytes, failed *prometheus.CounterVec, log *slog.Logger, addrs ...string) (*kring.Producer, error) {
	return kring.New(kring.Brokers(addrs...), kring.Hooks(byTopic{bytes, failed}, refusals{log}))
}
