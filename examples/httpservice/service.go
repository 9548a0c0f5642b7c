package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/kring-go/kring"
)

// producer is what the service needs of a *kring.Producer; the tests have
// another one.
type producer interface {
	Produce(ctx context.Context, r kring.Record, cb kring.Callback) error
	TryProduce(r kring.Record, cb kring.Callback) error
	Close(ctx context.Context) error
}

// service turns requests into records.
type service struct {
	producer producer
	topic    string
	log      *slog.Logger
}

// maxBody is the largest event, well below MaxRequestSize.
const maxBody = 512 << 10

func (s *service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /events", s.post)
	return mux
}

// post produces the request's body, and answers when its outcome is known. The
// key decides the partition: events of one key stay in order.
func (s *service) post(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body can not be read, or is too large", http.StatusRequestEntityTooLarge)
		return
	}
	record := kring.Record{Topic: s.topic, Value: body}
	if key := r.URL.Query().Get("key"); key != "" {
		record.Key = []byte(key)
	}
	// Room for the outcome, so that a callback never waits for a handler
	// that has gone.
	outcome := make(chan kring.Delivery, 1)
	done := func(d kring.Delivery) { outcome <- d }

	err = s.producer.TryProduce(record, done)
	if errors.Is(err, kring.ErrMetadataPending) {
		// The topic's first record: this once, waiting is right.
		err = s.producer.Produce(r.Context(), record, done)
	}
	if err != nil {
		s.refuse(w, err)
		return
	}
	select {
	case d := <-outcome:
		s.answer(w, d)
	case <-r.Context().Done():
		// The caller has gone. The record goes on.
	}
}

// refuse answers for a record that was not accepted: it is not in the log.
func (s *service) refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, kring.ErrBufferFull), errors.Is(err, kring.ErrMaxBlock), errors.Is(err, kring.ErrClosed):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy, try again", http.StatusServiceUnavailable)
	case errors.Is(err, kring.ErrRecordTooLarge):
		http.Error(w, "the event is too large", http.StatusRequestEntityTooLarge)
	default:
		s.log.Error("event not accepted", "error", err)
		http.Error(w, "not stored", http.StatusInternalServerError)
	}
}

// answer tells the outcome of a record that was accepted.
func (s *service) answer(w http.ResponseWriter, d kring.Delivery) {
	if d.Err == nil {
		w.WriteHeader(http.StatusCreated)
		return
	}
	s.log.Error("event failed", "error", d.Err)
	var failure *kring.ProduceError
	if errors.As(d.Err, &failure) && failure.Certainty == kring.NotPersisted {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "not stored, try again", http.StatusServiceUnavailable)
		return
	}
	http.Error(w, "it is not known whether the event is stored", http.StatusGatewayTimeout)
}
