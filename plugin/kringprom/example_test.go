package kringprom_test

import (
	"context"
	"log"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringprom"
)

// A producer's statistics stand beside the program's own metrics.
func Example() {
	p, err := kring.New(kring.Brokers("localhost:9092"), kring.ClientID("shop"))
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close(context.Background())

	registry := prometheus.NewRegistry()
	registry.MustRegister(kringprom.New(p, kringprom.Labels{"client_id": "shop"}))
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}
