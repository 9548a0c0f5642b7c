package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kring-go/kring"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], slog.Default()); err != nil {
		fmt.Fprintln(os.Stderr, "httpservice:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, log *slog.Logger) error {
	flags := flag.NewFlagSet("httpservice", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8080", "address to serve HTTP on")
	brokers := flags.String("brokers", "127.0.0.1:9092", "brokers, host:port, separated by commas")
	topic := flags.String("topic", "events", "topic to produce to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	producer, err := kring.New(
		kring.Brokers(*brokers),
		kring.ClientID("httpservice"),
		kring.Logger(log),
		// A client of HTTP does not wait two minutes.
		kring.DeliveryTimeout(30*time.Second),
		kring.RequestTimeout(10*time.Second),
	)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return errors.Join(err, producer.Close(ctx))
	}
	return serve(ctx, listener, &service{producer: producer, topic: *topic, log: log}, log)
}

// grace is how long a shutdown may take.
const grace = 40 * time.Second

// serve answers requests until ctx ends, and then shuts down in order.
func serve(ctx context.Context, listener net.Listener, s *service, log *slog.Logger) error {
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.Info("serving", "address", listener.Addr().String())

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("shutting down")
	}
	// Of its own: the one that has ended would end the shutdown too.
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	// First the handlers, which wait for their records' outcomes; then the
	// producer, which nobody uses any more.
	return errors.Join(err, server.Shutdown(final), s.producer.Close(final))
}
