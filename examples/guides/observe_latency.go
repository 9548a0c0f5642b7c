package guides

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringotel"
)

// everyMinute is observability.md's log of where the last minute went.
func everyMinute(ctx context.Context, p *kring.Producer, log *slog.Logger) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	before := p.Latencies()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := p.Latencies()
		last := now.Since(before)
		before = now
		log.Info("kafka, last minute",
			"fill", last.Fill.Quantile(0.99), "queue", last.Queue.Quantile(0.99), "write", last.Write.Quantile(0.99),
			"ack", last.Ack.Quantile(0.99), "callback", last.Callback.Quantile(0.99), "requests", last.Ack.Count())
	}
}

// sourced is observability.md's statistics for OpenTelemetry.
func sourced(p *kring.Producer) (*kringotel.Source, error) {
	return kringotel.NewSource(p, kringotel.ClientID("shop"), kringotel.Server("kafka.example:9092"))
}

// shared is observability.md's program whose metrics go to the cluster.
func shared(addrs []string, orders, carts *atomic.Int64) (*kring.Producer, error) {
	return kring.New(kring.Brokers(addrs...), kring.AppMetrics(func() []kring.AppMetric {
		return []kring.AppMetric{
			{Name: "com.example.shop.orders.total", Unit: "{order}", Kind: kring.AppCounter, Count: orders.Load()},
			{Name: "com.example.shop.carts", Value: float64(carts.Load()), Attributes: map[string]string{"region": "eu"}},
		}
	}))
}

// named is observability.md's line in the log that ties both sides together.
func named(ctx context.Context, p *kring.Producer, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if id, err := p.ClientInstanceID(ctx); err == nil {
		log.Info("kafka", "client_instance_id", id)
	}
}
