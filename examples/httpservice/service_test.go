package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestAnswers: what the caller hears of each outcome. No cluster can give most
// of them within a test's time, so a Recorder does.
func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		name     string
		outcomes []kringtest.Outcome
		status   int
		accepted int
		retry    bool
	}{
		{"delivered", []kringtest.Outcome{kringtest.Delivered()}, http.StatusCreated, 1, false},
		{
			"topic not known yet",
			[]kringtest.Outcome{kringtest.Refused(kring.ErrMetadataPending), kringtest.Delivered()},
			http.StatusCreated, 1, false,
		},
		{"memory is full", []kringtest.Outcome{kringtest.Refused(kring.ErrBufferFull)}, http.StatusServiceUnavailable, 0, true},
		{
			"the cluster is away",
			[]kringtest.Outcome{kringtest.Refused(kring.ErrMetadataPending), kringtest.Refused(kring.ErrMaxBlock)},
			http.StatusServiceUnavailable, 0, true,
		},
		{"too large", []kringtest.Outcome{kringtest.Refused(kring.ErrRecordTooLarge)}, http.StatusRequestEntityTooLarge, 0, false},
		{"mistake", []kringtest.Outcome{kringtest.Refused(kring.ErrInvalidTopic)}, http.StatusInternalServerError, 0, false},
		{
			"failed, not stored",
			[]kringtest.Outcome{kringtest.Failed(kring.ErrDeliveryTimeout, kring.NotPersisted)},
			http.StatusServiceUnavailable, 1, true,
		},
		{
			"failed, perhaps stored",
			[]kringtest.Outcome{kringtest.Failed(kring.ErrDeliveryTimeout, kring.PossiblyPersisted)},
			http.StatusGatewayTimeout, 1, false,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			recorder := kringtest.NewRecorder(t)
			recorder.Next(tc.outcomes...)
			s := &service{producer: recorder, topic: "events", log: slog.New(slog.DiscardHandler)}
			w := httptest.NewRecorder()
			s.handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/events?key=k", strings.NewReader("body")))
			if w.Code != tc.status || (w.Header().Get("Retry-After") != "") != tc.retry {
				t.Errorf("status %d, Retry-After %q, want %d", w.Code, w.Header().Get("Retry-After"), tc.status)
			}
			records := recorder.Records()
			if len(records) != tc.accepted {
				t.Fatalf("%d records were accepted, want %d", len(records), tc.accepted)
			}
			for _, r := range records {
				if r.Topic != "events" || string(r.Key) != "k" || string(r.Value) != "body" {
					t.Errorf("record %+v", r)
				}
			}
		})
	}
}

// TestBodyLimit: what is too large is refused before it is in memory.
func TestBodyLimit(t *testing.T) {
	recorder := kringtest.NewRecorder(t)
	s := &service{producer: recorder, topic: "events", log: slog.New(slog.DiscardHandler)}
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(strings.Repeat("x", maxBody+1))))
	if w.Code != http.StatusRequestEntityTooLarge || len(recorder.Records()) != 0 {
		t.Errorf("status %d and %d records", w.Code, len(recorder.Records()))
	}
}

// TestShutdown: a request that is under way when the service has to stop gets
// its answer, and its record is in the log.
func TestShutdown(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	cluster := kringtest.NewCluster(t)
	release := make(chan struct{})
	stalled := cluster.OnProduce(kringtest.Stall(release).Times(1))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	soonOver := soon(t)
	ctx, stop := context.WithCancel(soonOver)
	ended := make(chan error, 1)
	s := &service{producer: cluster.NewProducer(), topic: "events", log: slog.New(slog.DiscardHandler)}
	go func() { ended <- serve(ctx, listener, s, s.log) }()

	answer := make(chan error, 1)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	go func() {
		resp, err := client.Post("http://"+listener.Addr().String()+"/events", "text/plain", strings.NewReader("last"))
		if err == nil {
			err = resp.Body.Close()
			if resp.StatusCode != http.StatusCreated {
				err = errors.New(resp.Status)
			}
		}
		answer <- err
	}()
	select {
	case <-stalled.Wait(1):
	case err := <-answer:
		t.Fatalf("answered while the broker stalls: %v", err)
	}
	stop()
	// The first thing to go is the listener, while the request still waits.
	for {
		nc, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			break
		}
		nc.Close()
		if soonOver.Err() != nil {
			t.Fatal("the service still listens while it shuts down")
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("stopped with a request under way: %v", err)
	case err := <-answer:
		t.Fatalf("answered while the broker stalls: %v", err)
	default:
	}
	close(release)
	if err := <-answer; err != nil {
		t.Errorf("the request under way: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if list := cluster.Records("events", 0); len(list) != 1 || string(list[0].Value) != "last" {
		t.Errorf("the log has %+v", list)
	}
}

// TestRun starts the program against a cluster and stops it again.
func TestRun(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	cluster := kringtest.NewCluster(t)
	ctx, stop := context.WithCancel(soon(t))
	stop()
	args := []string{"-listen", "127.0.0.1:0", "-brokers", strings.Join(cluster.Addrs(), ",")}
	if err := run(ctx, args, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
	if err := run(ctx, []string{"-brokers", "nonsense"}, slog.New(slog.DiscardHandler)); !errors.Is(err, kring.ErrConfig) {
		t.Errorf("an address without a port: %v", err)
	}
}
