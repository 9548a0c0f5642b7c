package bench

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestProducers: each sender keeps to one client, all clients get the same share
// of senders, and the result adds up.
func TestProducers(t *testing.T) {
	c := testConfig()
	c.Senders, c.Producers, c.Records = 6, 3, 600
	var mu sync.Mutex
	users := map[*fakeClient]map[int]bool{}
	var made []*fakeClient
	lib := (&fakeClient{partitions: 3}).library()
	lib.New = func(s Settings, done Done) (Client, error) {
		f := &fakeClient{partitions: 3}
		f.block = func(_ context.Context, id tag) error {
			mu.Lock()
			defer mu.Unlock()
			if users[f] == nil {
				users[f] = map[int]bool{}
			}
			users[f][id.sender()] = true
			return nil
		}
		client, err := f.library().New(s, done)
		made = append(made, f)
		return client, err
	}
	c.Verify = VerifyNone
	r := mustRun(t, t.Context(), c, lib, Output{})
	if len(made) != 3 || len(users) != 3 || r.Totals.Acked != 600 || r.Client.Props["producers"] != "3" {
		t.Fatalf("%d clients, %d used, %d acknowledged, told as %q", len(made), len(users), r.Totals.Acked, r.Client.Props["producers"])
	}
	for i, f := range made {
		if !users[f][i] || !users[f][i+3] || len(users[f]) != 2 {
			t.Errorf("client %d has senders %v", i, users[f])
		}
	}
}

// TestProducersOfKring: several producers of kring, flat out and verified.
func TestProducersOfKring(t *testing.T) {
	c := testConfig()
	c.Settings.Topic, c.Settings.Idempotent, c.Quiet, c.Senders, c.Producers, c.Records = "", true, true, 4, 2, 20_000
	r, err := Execute(t.Context(), Session{Config: c, Library: Kring(), Messages: io.Discard})
	if err != nil || r.Verify.Failed() || r.Totals.Acked != 20_000 || r.Totals.Unresolved != 0 {
		t.Fatalf("%v: %+v, %+v", err, r.Totals, r.Verify)
	}
}

// closeCount is a client that only counts its ends.
type closeCount struct {
	Client
	closed *atomic.Int32
}

func (c closeCount) Close(context.Context) error { c.closed.Add(1); return nil }

// TestProducersStartAllOrNone: those that have started are closed when one fails.
func TestProducersStartAllOrNone(t *testing.T) {
	c := testConfig()
	c.Senders, c.Producers = 4, 3
	var closed atomic.Int32
	made := 0
	lib := Library{Name: "x", New: func(Settings, Done) (Client, error) {
		if made++; made == 3 {
			return nil, errors.New("no more")
		}
		return closeCount{closed: &closed}, nil
	}}
	if _, err := newTeam(t.Context(), &c, lib, nil); err == nil || !strings.Contains(err.Error(), "x did not start: no more") || closed.Load() != 2 {
		t.Errorf("%v; %d closed, want 2", err, closed.Load())
	}
	if c.Producers = 5; c.Validate() == nil {
		t.Error("more producers than senders are accepted")
	}
}
