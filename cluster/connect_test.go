package cluster

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a dead or stalled first address costs, and that the next one is tried.
func TestConnectSharesItsTime(t *testing.T) {
	tests := []struct {
		name      string
		addresses []string
		want      time.Duration
		err       string
	}{
		{name: "good", addresses: []string{"b"}, want: 0},
		{name: "first is dead", addresses: []string{"blackhole", "b"}, want: 5 * time.Second},
		{name: "two of three are dead", addresses: []string{"blackhole", "blackhole", "b"}, want: (3333 + 3333) * time.Millisecond},
		{name: "many are dead", addresses: strings.Fields(strings.Repeat("blackhole ", 20) + "b"), want: 10 * time.Second, err: "no connection within 2s"},
		{name: "first accepts and stalls", addresses: []string{"silent", "b"}, want: 30 * time.Second},
		{name: "first refuses", addresses: []string{"refused", "b"}, want: 0},
		{name: "all refuse", addresses: []string{"refused", "nobody"}, want: 0, err: "nobody: dial tcp"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				silent := newBroker("silent:1")
				silent.silent = true
				cfg := newWorld(silent, newBroker("b:1")).config()
				cfg.Resolver = NewResolver((&names{addresses: tc.addresses}).lookup)
				start := time.Now()
				link, err := Connect(t.Context(), cfg, "kafka:1")
				if took := time.Since(start); (took - tc.want).Abs() > 5*time.Millisecond {
					t.Errorf("Connect took %v, want %v", took, tc.want)
				}
				if tc.err != "" {
					if err == nil || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "\n") {
						t.Errorf("Connect error = %v, want one line with %q", err, tc.err)
					}
					return
				}
				if err != nil {
					t.Fatalf("Connect: %v", err)
				}
				link.Close()
			})
		})
	}
}

// The setup timeout doubles with each failure of a broker (KIP-601).
func TestSetupTimeoutGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustClient(t, newWorld().config("blackhole:1"))
		for i, want := range []time.Duration{10, 20, 30, 30} {
			backoff := Backoff(c.cfg.ReconnectBackoff, c.cfg.ReconnectBackoffMax, i, c.cfg.Rand)
			start := time.Now()
			if _, err := c.Metadata(t.Context(), nil); err == nil {
				t.Fatal("Metadata succeeded")
			}
			if took := time.Since(start) - backoff; took != want*time.Second {
				t.Errorf("attempt %d took %v, want %v s", i+1, took, int(want))
			}
		}
	})
}

// A broker that sent nonsense once is asked again, over another connection.
func TestRecoversFromNonsense(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker("b:1")
		cfg := newWorld(b).config("b:1")
		cfg.NoRebootstrap = true // It would end the link, too.
		c := mustClient(t, cfg)
		mustMetadata(t, c)
		b.change(func(b *broker) {
			b.lies[keyMetadata] = func(request) ([]byte, bool) { return []byte("\xff\xff\xff\xff"), true }
		})
		if _, err := c.Metadata(t.Context(), nil); err == nil {
			t.Fatal("Metadata took nonsense")
		}
		b.change(func(b *broker) { delete(b.lies, keyMetadata) })
		mustMetadata(t, c)
		if b.dialled() != 2 {
			t.Errorf("%d connections, want 2", b.dialled())
		}
	})
}
