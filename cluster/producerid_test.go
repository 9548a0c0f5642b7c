package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ids answers InitProducerId with the codes in turn, then with the id.
func ids(id int64, epoch int16, codes ...int16) script {
	return func(r request) ([]byte, bool) {
		m := kmsg.NewPtrInitProducerIDResponse()
		m.Version, m.ProducerID, m.ProducerEpoch = r.version, id, epoch
		if len(codes) > 0 {
			m.ErrorCode, m.ProducerID, m.ProducerEpoch = codes[0], -1, -1
			codes = codes[1:]
		}
		return frameOf(r, m), true
	}
}

func TestInitProducerID(t *testing.T) {
	for version := int16(0); version <= newestInitProducerID; version++ {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			b := newBroker("b:1")
			b.versions[keyInitProducerID] = [2]int16{0, version}
			c := mustClient(t, newWorld(b).config("b:1"))
			id, epoch, err := c.InitProducerID(t.Context())
			if id != 4711 || epoch != 0 || err != nil {
				t.Errorf("InitProducerID = %d, %d, %v; want 4711, 0", id, epoch, err)
			}
			r := b.seen(keyInitProducerID)[0]
			m := r.body.(*kmsg.InitProducerIDRequest)
			if r.version != version || m.TransactionalID != nil || m.ProducerID != -1 || m.ProducerEpoch != -1 {
				t.Errorf("v%d request %+v", r.version, m)
			}
		})
	}
}

func TestInitProducerIDAnswers(t *testing.T) {
	tests := []struct {
		name  string
		lie   script
		asked int
		code  int16 // of the CodeError; 0 for none
		err   string
	}{
		{name: "good", lie: ids(0, 0), asked: 1},
		{name: "highest epoch of use", lie: ids(1, math.MaxInt16-1), asked: 1},
		{name: "loading", lie: ids(7, 1, 14, 14, 14), asked: 4},
		{name: "no coordinator yet", lie: ids(7, 1, 15, 16, 51, 7, 13, 41, 89), asked: 8},
		{name: "not authorized", lie: ids(7, 1, 31), asked: 1, code: 31, err: "not authorized"},
		{name: "fenced", lie: ids(7, 1, 90), asked: 1, code: 90, err: "code 90"},
		{name: "unknown server error", lie: ids(7, 1, -1, -1), asked: 3},
		{name: "fatal after loading", lie: ids(7, 1, 14, 35), asked: 2, code: 35, err: "unsupported version"},
		{name: "id -1", lie: ids(-1, 0), asked: 1, err: "producer id -1"},
		{name: "lowest id", lie: ids(math.MinInt64, 0), asked: 1, err: "producer id -9"},
		{name: "epoch -1", lie: ids(7, -1), asked: 1, err: "epoch -1"},
		{name: "epoch 32767", lie: ids(7, math.MaxInt16), asked: 1, err: "epoch 32767"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBroker("b:1")
				b.lies[keyInitProducerID] = tc.lie
				c := mustClient(t, newWorld(b).config("b:1"))
				start := time.Now()
				id, epoch, err := c.InitProducerID(t.Context())
				if (err != nil) != (tc.err != "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
					t.Fatalf("InitProducerID error = %v, want %q", err, tc.err)
				}
				if code := (*CodeError)(nil); errors.As(err, &code) != (tc.code != 0) || (code != nil && code.Code != tc.code) {
					t.Errorf("InitProducerID error = %v, want code %d", err, tc.code)
				}
				if err != nil && (id != -1 || epoch != -1) {
					t.Errorf("an error came with id %d and epoch %d", id, epoch)
				}
				if n := len(b.seen(keyInitProducerID)); n != tc.asked {
					t.Errorf("%d requests, want %d", n, tc.asked)
				}
				waited := time.Duration(0)
				for i := range tc.asked {
					waited += Backoff(100*time.Millisecond, time.Second, i, func() float64 { return 0.5 })
				}
				if took := time.Since(start); took != waited {
					t.Errorf("it took %v, want backoffs of %v", took, waited)
				}
				if b.dialled() != 1 {
					t.Errorf("%d connections: an answer is no reason for another", b.dialled())
				}
			})
		})
	}
}

func TestInitProducerIDUnsupported(t *testing.T) {
	b := newBroker("b:1")
	delete(b.versions, keyInitProducerID)
	c := mustClient(t, newWorld(b).config("b:1"))
	_, _, err := c.InitProducerID(t.Context())
	if !errors.Is(err, ErrNoProducerID) || !strings.Contains(err.Error(), "b:1") ||
		!strings.Contains(err.Error(), "disable idempotence") {
		t.Errorf("InitProducerID error = %v, want ErrNoProducerID with the broker and the way out", err)
	}
}

// A code in the handshake is no answer to the request, so it is tried again.
func TestInitProducerIDAfterRefusedHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroker("b:1")
		refused := false
		b.lies[keyApiVersions] = func(r request) ([]byte, bool) {
			if refused {
				return nil, true
			}
			refused = true
			m := kmsg.NewPtrApiVersionsResponse()
			m.Version, m.ErrorCode = r.version, 42
			return frameOf(r, m), true
		}
		c := mustClient(t, newWorld(b).config("b:1"))
		if id, _, err := c.InitProducerID(t.Context()); id != 4711 || err != nil {
			t.Errorf("InitProducerID = %d, %v", id, err)
		}
	})
}

// While no broker answers it keeps trying, and succeeds when one comes up.
func TestInitProducerIDOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := mustClient(t, w.config("b:1"))
		time.AfterFunc(10*time.Minute, func() { w.set("b:1", newBroker("b:1")) })
		start := time.Now()
		id, _, err := c.InitProducerID(t.Context())
		if id != 4711 || err != nil {
			t.Errorf("InitProducerID = %d, %v", id, err)
		}
		if took := time.Since(start); took > 10*time.Minute+3*time.Second {
			t.Errorf("it took %v to notice a broker that came after 10 minutes", took)
		}
		if n := w.refusals("b:1"); n < 200 || n > 1000 {
			t.Errorf("%d dials in 10 minutes, want about one a second", n)
		}
	})
}

func TestInitProducerIDEndsWithItsContext(t *testing.T) {
	tests := []struct {
		name  string
		setup func(w *world)
		want  string
	}{
		{"no broker", func(*world) {}, "connection refused"},
		{"loading for ever", func(w *world) {
			b := newBroker("b:1")
			b.lies[keyInitProducerID] = func(r request) ([]byte, bool) { return ids(1, 1, 14)(r) }
			w.set("b:1", b)
		}, "error code 14"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				tc.setup(w)
				c := mustClient(t, w.config("b:1"))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start := time.Now()
				_, _, err := c.InitProducerID(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("InitProducerID error = %v, want the deadline and %q", err, tc.want)
				}
				if took := time.Since(start); took != time.Minute {
					t.Errorf("it took %v, want a minute", took)
				}
			})
		})
	}
}
