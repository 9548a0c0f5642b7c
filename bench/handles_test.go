package bench

import (
	"context"
	"testing"
	"time"
)

// handing is a client whose senders can have handles.
type handing struct {
	*fakeClient
	made int
	none bool
}

func (h *handing) Sender(int, int) Handle {
	if h.none {
		return nil
	}
	h.made++
	return h.fakeClient
}

// TestHandles: each of several senders of a closed loop has a handle of its own,
// and the result says so.
func TestHandles(t *testing.T) {
	for _, tc := range []struct {
		name    string
		mode    Mode
		senders int
		none    bool
		want    int
	}{
		{"closed", ModeClosed, 3, false, 3}, {"one sender", ModeClosed, 1, false, 0}, {"open", ModeOpen, 3, false, 0}, {"refused", ModeClosed, 3, true, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			c.Mode, c.Senders, c.Records, c.Duration = tc.mode, tc.senders, 0, 100*time.Millisecond
			if tc.mode == ModeOpen {
				c.Rate = 1000
			}
			h := &handing{fakeClient: &fakeClient{partitions: 3}, none: tc.none}
			lib := h.library()
			start := lib.New
			lib.New = func(s Settings, done Done) (Client, error) {
				_, err := start(s, done)
				return h, err
			}
			r := mustRun(t, context.Background(), c, lib, Output{})
			if _, said := r.Client.Props["handles"]; h.made != tc.want || said != (tc.want > 0) {
				t.Errorf("%d handles, want %d; props %v", h.made, tc.want, r.Client.Props)
			}
			if r.Totals.Acked == 0 {
				t.Error("nothing was sent")
			}
		})
	}
}

// TestKringWriters: kring's senders have Writers as long as their batches take a
// quarter of the memory at most.
func TestKringWriters(t *testing.T) {
	for _, tc := range []struct {
		senders, partitions int
		memory              int64
		prop                string
		want                bool
	}{
		{4, 12, 0, "", true}, {4, 12, 0, "false", false}, {64, 12, 0, "", false}, {64, 12, 256 << 20, "", true}, {4, 10_000, 0, "", false},
	} {
		s := Settings{Brokers: []string{"127.0.0.1:1"}, Topic: "t", Acks: "1", BufferBytes: tc.memory, Props: map[string]string{}}
		if tc.prop != "" {
			s.Props[writers] = tc.prop
		}
		c, err := newKring(s, func(uint64, int32, int64, error) {})
		if err != nil {
			t.Fatal(err)
		}
		per, ok := c.(PerSender)
		if got := ok && per.Sender(tc.senders, tc.partitions) != nil; got != tc.want {
			t.Errorf("%+v: %t", tc, got)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestKringCompletesSerially: the harness counts without atomics where callbacks
// run on one goroutine, and only there. With several lanes it lost count.
func TestKringCompletesSerially(t *testing.T) {
	for _, tc := range []struct {
		props  map[string]string
		serial bool
	}{
		{nil, true},
		{map[string]string{"kring.completion.lanes": "1", "kring.delivery.inline": "FALSE"}, true},
		{map[string]string{"kring.completion.lanes": "4"}, false},
		{map[string]string{"kring.delivery.inline": "true"}, false},
		{map[string]string{"kring.delivery.inline": "TRUE"}, false},
	} {
		s := Settings{Brokers: []string{"localhost:1"}, Topic: "t", Acks: "all", Props: tc.props}
		c, err := newKring(s, func(uint64, int32, int64, error) {})
		if err != nil {
			t.Fatal(tc.props, err)
		}
		if got := c.(Serial).CompletesSerially(); got != tc.serial {
			t.Errorf("%v: serial %v, want %v", tc.props, got, tc.serial)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
