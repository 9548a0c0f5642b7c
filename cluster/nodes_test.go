package cluster

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNodesBest(t *testing.T) {
	now := time.Unix(1000, 0)
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	tests := []struct {
		name  string
		nodes []node
		tried []string
		want  string
	}{
		{"none", nil, nil, ""},
		{"first of equals", []node{{address: "a"}, {address: "b"}}, nil, "a"},
		{"not the tried", []node{{address: "a"}, {address: "b"}}, []string{"a"}, "b"},
		{"all tried", []node{{address: "a"}}, []string{"a"}, ""},
		{"never failed before failed", []node{{address: "a", failedAt: at(-9)}, {address: "b"}}, nil, "b"},
		{"failed longest ago", []node{{address: "a", failedAt: at(-5)}, {address: "b", failedAt: at(-9)}, {address: "c", failedAt: at(-7)}}, nil, "b"},
		{"ready before backoff", []node{{address: "a", notBefore: at(1), failedAt: at(-90)}, {address: "b", failedAt: at(-5)}}, nil, "b"},
		{"backoff that ends first", []node{{address: "a", notBefore: at(3)}, {address: "b", notBefore: at(2)}}, nil, "b"},
		{"backoff that ends now is over", []node{{address: "a", notBefore: at(1)}, {address: "b", notBefore: now}}, nil, "b"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var n nodes
			for i := range tc.nodes {
				n.current = append(n.current, &tc.nodes[i])
			}
			tried := make(map[string]bool)
			for _, address := range tc.tried {
				tried[address] = true
			}
			got := ""
			if best := n.best(now, tried); best != nil {
				got = best.address
			}
			if got != tc.want {
				t.Errorf("best = %q, want %q", got, tc.want)
			}
		})
	}
}

// The state of an address survives a change of the set if it can come back.
func TestNodesReplaceKeepsBackoff(t *testing.T) {
	random := func() float64 { return 0.5 }
	n := newNodes([]string{"seed:1"}, random)
	fault := errors.New("refused")
	n.at("seed:1").failed(fault, time.Unix(1, 0), time.Hour)
	n.replace([]string{"a:1", "b:1", "a:1"}, random)
	if len(n.current) != 2 || n.initial {
		t.Errorf("%d current nodes, initial %v; want a:1 and b:1", len(n.current), n.initial)
	}
	n.at("a:1").failed(fault, time.Unix(1, 0), time.Hour)
	n.at("b:1").failed(fault, time.Unix(1, 0), time.Hour)
	n.replace([]string{"a:1", "c:1"}, random)
	if n.at("a:1").failures != 1 {
		t.Error("the failures of a broker that stayed are forgotten")
	}
	n.reset(random)
	if n.at("seed:1").failures != 1 || !n.initial {
		t.Error("the failures of a bootstrap address are forgotten")
	}
	if len(n.byAddress) > 2 {
		t.Errorf("%d addresses are remembered, want none beyond the set and the list", len(n.byAddress))
	}
}

// Many passes over the same dead broker all end, though each failure puts the
// others back into backoff.
func TestPassesShareFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := mustClient(t, w.config("dead:1"))
		start := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Metadata(t.Context(), nil); !errors.As(err, new(*UnreachableError)) {
					t.Errorf("Metadata error = %v, want an UnreachableError", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > time.Second {
			t.Errorf("20 passes at once took %v", took)
		}
		if n := w.refusals("dead:1"); n > 3 {
			t.Errorf("the dead broker was dialled %d times for 20 passes", n)
		}
	})
}
