package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

func filled(n int) *Memory {
	m := NewMemory()
	for i := range n {
		m.Add("orders", fmt.Appendf(nil, "key-%d", i%10), fmt.Appendf(nil, "event %d", i+1))
	}
	return m
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// counts says how often each row is in the log, and checks order and contents.
func counts(t *testing.T, records []kringtest.Record) map[string]int {
	t.Helper()
	times := map[string]int{}
	for _, r := range records {
		if len(r.Headers) != 1 || r.Headers[0].Key != IDHeader {
			t.Fatalf("record without a number: %+v", r)
		}
		id := string(r.Headers[0].Value)
		if string(r.Value) != "event "+id {
			t.Errorf("row %s has the value %q", id, r.Value)
		}
		times[id]++
	}
	return times
}

// TestRun relays while the connection breaks and answers get lost. The producer
// is idempotent, so every row is in the log once, and in order per key.
func TestRun(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	const rows = 1200 // more than two passes
	cluster := kringtest.NewCluster(t, kringtest.Partitions(3))
	script := cluster.OnProduce(
		kringtest.DropAnswer().Times(1), kringtest.Fail(kring.NotEnoughReplicas).Times(2), kringtest.Disconnect().Times(1),
	)
	store := filled(rows)
	ctx, stop := context.WithCancel(soon(t))
	done := make(chan struct{})
	go func() {
		defer close(done)
		New(store, cluster.NewProducer(), quiet()).Run(ctx)
	}()
	records := cluster.Await(soon(t), "orders", rows)
	// The last rows are in the log before they are marked.
	for {
		if left, err := store.Pending(soon(t), 1); err != nil || len(left) == 0 {
			break
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			t.Fatal("rows stay pending that were delivered")
		}
	}
	stop()
	<-done
	if n := len(counts(t, records)); n != rows || len(records) != rows {
		t.Errorf("%d records of %d rows, want %d of each", len(records), n, rows)
	}
	last := map[string]int{}
	for _, r := range records {
		var id int
		if _, err := fmt.Sscan(string(r.Headers[0].Value), &id); err != nil {
			t.Fatal(err)
		}
		if id <= last[string(r.Key)] {
			t.Errorf("%s: row %d is behind row %d", r.Key, id, last[string(r.Key)])
		}
		last[string(r.Key)] = id
	}
	if script.Met() != 4 {
		t.Errorf("the faults were met %d times, want 4", script.Met())
	}
}

// forgetful is a Store that can not mark, as after a crash.
type forgetful struct{ *Memory }

func (forgetful) MarkSent(context.Context, []int64) error { return errors.New("the database is away") }

// TestCrashBeforeMark: rows come again, and nothing is lost.
func TestCrashBeforeMark(t *testing.T) {
	cluster := kringtest.NewCluster(t)
	store, p := filled(20), cluster.NewProducer()
	if _, err := New(forgetful{store}, p, quiet()).Pass(soon(t)); err == nil {
		t.Error("a pass that could not mark reports no error")
	}
	if sent, err := New(store, p, quiet()).Pass(soon(t)); sent != 20 || err != nil {
		t.Errorf("the pass after it: %d rows, %v", sent, err)
	}
	for id, n := range counts(t, cluster.Records("orders", 0)) {
		if n != 2 {
			t.Errorf("row %s is in the log %d times, want 2", id, n)
		}
	}
	if rows, err := store.Pending(soon(t), 100); len(rows) != 0 || err != nil {
		t.Errorf("%d rows are pending, %v", len(rows), err)
	}
}

// TestOutcomes: which rows stay, which are marked, by what became of row 2 of 3.
func TestOutcomes(t *testing.T) {
	for _, tc := range []struct {
		name    string
		outcome kringtest.Outcome
		sent    int
		pending []int64
		failed  bool
		wantErr error
	}{
		{"delivered", kringtest.Delivered(), 3, nil, false, nil},
		{"not stored", kringtest.Failed(kring.ErrDeliveryTimeout, kring.NotPersisted), 2, []int64{2}, false, kring.ErrDeliveryTimeout},
		{"perhaps stored", kringtest.Failed(kring.ErrDeliveryTimeout, kring.PossiblyPersisted), 2, []int64{2}, false, kring.ErrDeliveryTimeout},
		{"too large for the broker", kringtest.Failed(kring.ErrRecordTooLarge, kring.NotPersisted), 2, nil, true, nil},
		{"too large for the producer", kringtest.Refused(kring.ErrRecordTooLarge), 2, nil, true, nil},
		{"no cluster", kringtest.Refused(kring.ErrMaxBlock), 1, []int64{2, 3}, false, kring.ErrMaxBlock},
	} {
		t.Run(tc.name, func(t *testing.T) {
			recorder := kringtest.NewRecorder(t)
			recorder.Next(kringtest.Delivered(), tc.outcome)
			store := filled(3)
			sent, err := New(store, recorder, quiet()).Pass(soon(t))
			if sent != tc.sent || !errors.Is(err, tc.wantErr) || (err == nil) != (tc.wantErr == nil) {
				t.Errorf("%d rows, %v; want %d, %v", sent, err, tc.sent, tc.wantErr)
			}
			rows, err := store.Pending(soon(t), 10)
			if err != nil {
				t.Fatal(err)
			}
			var pending []int64
			for _, row := range rows {
				pending = append(pending, row.ID)
			}
			if fmt.Sprint(pending) != fmt.Sprint(tc.pending) {
				t.Errorf("rows %v are pending, want %v", pending, tc.pending)
			}
			if _, failed := store.Failed()[2]; failed != tc.failed {
				t.Errorf("rows %v have failed", store.Failed())
			}
		})
	}
}

// TestPassGivesUp: a pass that runs out of time marks nothing that it does not
// know, and late callbacks harm nobody.
func TestPassGivesUp(t *testing.T) {
	recorder := kringtest.NewRecorder(t)
	recorder.Hold()
	store := filled(3)
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if sent, err := New(store, recorder, quiet()).Pass(short); sent != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d rows, %v", sent, err)
	}
	recorder.Release()
	if err := recorder.Close(soon(t)); err != nil {
		t.Error(err)
	}
	if rows, err := store.Pending(soon(t), 10); len(rows) != 3 || err != nil {
		t.Errorf("%d rows are pending, want 3; %v", len(rows), err)
	}
}
