package guides

import (
	"context"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringotel"
	"github.com/kring-go/kring/plugin/kringprom"
)

// logged is observability.md's producer with a log.
func logged(addrs ...string) (*kring.Producer, error) {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	return kring.New(kring.Brokers(addrs...), kring.Logger(log.With("component", "kring")))
}

// measured is observability.md's registration with Prometheus.
func measured(p *kring.Producer, registry *prometheus.Registry) error {
	return registry.Register(kringprom.New(p, kringprom.Labels{"client_id": "shop"}))
}

// traced is observability.md's producer with OpenTelemetry.
func traced(ctx context.Context, p *kring.Producer, body []byte) error {
	w, err := kringotel.Wrap(p, kringotel.ClientID("shop"), kringotel.Server("kafka.example:9092"))
	if err != nil {
		return err
	}
	return w.Produce(ctx, kring.Record{Topic: "orders", Value: body}, nil)
}

// used is observability.md's own use of the statistics.
func used(p *kring.Producer) float64 {
	s := p.Stats()
	return 1 - float64(s.BufferFree)/float64(s.BufferTotal)
}
