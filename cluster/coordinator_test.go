package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// coordinated is a broker that speaks transactions and names coordinators.
func coordinated(name string) *broker {
	b := newBroker(name)
	for key, newest := range map[int16]int16{
		keyFindCoordinator: newestFindCoordinator, keyAddPartitionsToTxn: 5, keyAddOffsetsToTxn: newestAddOffsets,
		keyEndTxn: implicitEndTxn, keyTxnOffsetCommit: implicitOffsetCommit,
	} {
		b.versions[key] = [2]int16{0, newest}
	}
	b.lies[keyFindCoordinator] = coordinators(name)
	return b
}

// coordinators answers FindCoordinator with the codes in turn, then with the broker.
func coordinators(address string, codes ...int16) script {
	return func(r request) ([]byte, bool) {
		node := metadataOf(address).Brokers[0]
		m := kmsg.NewPtrFindCoordinatorResponse()
		m.Version, m.Host, m.Port, m.NodeID = r.version, node.Host, node.Port, 1
		one := kmsg.NewFindCoordinatorResponseCoordinator()
		one.Key, one.Host, one.Port, one.NodeID = "id", node.Host, node.Port, 1
		if len(codes) > 0 {
			m.ErrorCode, one.ErrorCode, m.Host, one.Host = codes[0], codes[0], "", ""
			codes = codes[1:]
		}
		m.Coordinators = append(m.Coordinators, one)
		return frameOf(r, m), true
	}
}

// ends answers EndTxn with the codes in turn, then with the next epoch. A code
// of cut closes the connection instead.
func ends(codes ...int16) script {
	return func(r request) ([]byte, bool) {
		m := kmsg.NewPtrEndTxnResponse()
		m.Version, m.ProducerID, m.ProducerEpoch = r.version, 7, 4
		if len(codes) > 0 {
			m.ErrorCode, codes = codes[0], codes[1:]
		}
		if m.ErrorCode == cut {
			return nil, false
		}
		return frameOf(r, m), true
	}
}

const cut = 999

func TestEndTxn(t *testing.T) {
	tests := []struct {
		name      string
		found     []int16 // codes of FindCoordinator before the good answer
		answers   []int16 // codes of EndTxn before the good answer
		implicit  bool
		asked     int // EndTxn requests
		looked    int // FindCoordinator requests
		ambiguous bool
		code      int16
	}{
		{name: "good", asked: 1, looked: 1},
		{name: "good and implicit", implicit: true, asked: 1, looked: 1},
		{name: "no coordinator yet", found: []int16{15, 14}, asked: 1, looked: 3},
		{name: "not authorized to look", found: []int16{53}, looked: 1, code: 53},
		{name: "moved", answers: []int16{16}, asked: 2, looked: 2},
		{name: "not available", answers: []int16{15}, asked: 2, looked: 2},
		{name: "loading, markers being written", answers: []int16{14, 51, 51}, asked: 4, looked: 1},
		{name: "connection cut", answers: []int16{cut}, asked: 2, looked: 2, ambiguous: true},
		{name: "connection cut, then fenced", answers: []int16{cut, 90}, asked: 2, looked: 2, ambiguous: true, code: 90},
		{name: "unknown server error", answers: []int16{-1}, asked: 1, looked: 1, code: -1},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := coordinated("b:1")
				b.lies[keyFindCoordinator] = coordinators("b:1", tc.found...)
				b.lies[keyEndTxn] = ends(tc.answers...)
				c := mustClient(t, newWorld(b).config("b:1"))
				call := &Call{}
				k := c.Coordinator(TransactionCoordinator, "id")
				next, err := k.EndTxn(t.Context(), call, ProducerID{7, 3}, true, tc.implicit)
				if code := (*CodeError)(nil); errors.As(err, &code) != (tc.code != 0) || code != nil && code.Code != tc.code {
					t.Fatalf("EndTxn: %v, want code %d", err, tc.code)
				}
				want := ProducerID{7, 3}
				if tc.implicit {
					want.Epoch = 4
				}
				if err == nil && next != want {
					t.Errorf("EndTxn = %v, want %v", next, want)
				}
				if call.Ambiguous != tc.ambiguous {
					t.Errorf("ambiguous: %v, want %v", call.Ambiguous, tc.ambiguous)
				}
				sent := b.seen(keyEndTxn)
				if len(sent) != tc.asked || len(b.seen(keyFindCoordinator)) != tc.looked {
					t.Errorf("%d EndTxn and %d FindCoordinator, want %d and %d",
						len(sent), len(b.seen(keyFindCoordinator)), tc.asked, tc.looked)
				}
				for _, r := range sent {
					m := r.body.(*kmsg.EndTxnRequest)
					if !m.Commit || m.TransactionalID != "id" || m.ProducerEpoch != 3 || (r.version >= implicitEndTxn) != tc.implicit {
						t.Errorf("v%d request %+v", r.version, m)
					}
				}
			})
		})
	}
}

// TestCoordinatorQuickRetry: CONCURRENT_TRANSACTIONS is waited out in steps of
// 20 ms, not in the backoff of failures.
func TestCoordinatorQuickRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := coordinated("b:1")
		b.lies[keyEndTxn] = ends(51, 51, 51, 51, 51)
		cfg := newWorld(b).config("b:1")
		cfg.RetryBackoff, cfg.RetryBackoffMax = time.Second, time.Minute
		c := mustClient(t, cfg)
		start := time.Now()
		if _, err := c.Coordinator(TransactionCoordinator, "id").EndTxn(t.Context(), &Call{}, ProducerID{7, 3}, true, false); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 100*time.Millisecond || took > time.Second {
			t.Errorf("five times CONCURRENT_TRANSACTIONS took %v, want 5 x 20 ms", took)
		}
	})
}

// TestCoordinatorEnds: a call ends with its context and with the client, and
// says what had gone wrong by then.
func TestCoordinatorEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := coordinated("b:1")
		b.lies[keyFindCoordinator] = func(r request) ([]byte, bool) { return coordinators("b:1", 15)(r) }
		c := mustClient(t, newWorld(b).config("b:1"))
		k := c.Coordinator(TransactionCoordinator, "id")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := k.EndTxn(ctx, &Call{}, ProducerID{7, 3}, true, false)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "code 15") {
			t.Errorf("with a deadline: %v", err)
		}
		ended := make(chan error)
		go func() {
			_, err := k.EndTxn(context.Background(), &Call{}, ProducerID{7, 3}, true, false)
			ended <- err
		}()
		time.Sleep(time.Minute)
		c.Close()
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if _, err := k.EndTxn(context.Background(), &Call{}, ProducerID{7, 3}, true, false); !errors.Is(err, ErrClosed) {
			t.Errorf("on a closed client: %v", err)
		}
	})
}

// TestAddPartitions: codes come back by partition; one that would not change
// goes before one that may.
func TestAddPartitions(t *testing.T) {
	tests := []struct {
		name  string
		codes [][2]int16 // of the two partitions, for one request after the other
		asked int
		want  [2]int16
	}{
		{name: "good", asked: 1},
		{name: "markers being written", codes: [][2]int16{{51, 51}, {51, 51}}, asked: 3},
		{name: "unknown topic, then known", codes: [][2]int16{{3, 55}}, asked: 2},
		{name: "not authorized for one", codes: [][2]int16{{29, 55}}, asked: 1, want: [2]int16{29, 55}},
		{name: "one may change, the other not", codes: [][2]int16{{3, 29}}, asked: 1, want: [2]int16{3, 29}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := coordinated("b:1")
				codes := tc.codes
				b.lies[keyAddPartitionsToTxn] = func(r request) ([]byte, bool) {
					m := kmsg.NewPtrAddPartitionsToTxnResponse()
					m.Version = r.version
					topic := kmsg.NewAddPartitionsToTxnResponseTopic()
					topic.Topic = "t"
					for i := range 2 {
						p := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
						p.Partition = int32(i)
						if len(codes) > 0 {
							p.ErrorCode = codes[0][i]
						}
						topic.Partitions = append(topic.Partitions, p)
					}
					if len(codes) > 0 {
						codes = codes[1:]
					}
					m.Topics = append(m.Topics, topic)
					return frameOf(r, m), true
				}
				c := mustClient(t, newWorld(b).config("b:1"))
				k := c.Coordinator(TransactionCoordinator, "id")
				got, err := k.AddPartitions(t.Context(), &Call{}, ProducerID{7, 3}, map[string][]int32{"t": {0, 1}})
				if err != nil || len(got) != 2 || got[0].Code != tc.want[0] || got[1].Code != tc.want[1] {
					t.Errorf("AddPartitions = %v, %v, want codes %v", got, err, tc.want)
				}
				sent := b.seen(keyAddPartitionsToTxn)
				if len(sent) != tc.asked || sent[0].version > newestAddPartitions {
					t.Errorf("%d requests of v%d, want %d", len(sent), sent[0].version, tc.asked)
				}
				if _, err := k.AddPartitions(t.Context(), &Call{}, ProducerID{7, 3}, map[string][]int32{"t": {0, 1, 2}}); err == nil {
					t.Error("an answer for two of three partitions was taken for three")
				}
			})
		})
	}
}

// TestFindCoordinatorVersions: the oldest and the newest form of the request
// and its answer.
func TestFindCoordinatorVersions(t *testing.T) {
	for version := int16(oldestFindCoordinator); version <= newestFindCoordinator; version++ {
		synctest.Test(t, func(t *testing.T) {
			b := coordinated("b:1")
			b.versions[keyFindCoordinator] = [2]int16{0, version}
			b.lies[keyInitProducerID] = ids(7, 3)
			c := mustClient(t, newWorld(b).config("b:1"))
			k := c.Coordinator(TransactionCoordinator, "id")
			id, err := k.InitProducerID(t.Context(), &Call{}, time.Minute, ProducerID{-1, -1})
			if err != nil || id != (ProducerID{7, 3}) {
				t.Fatalf("v%d: %v, %v", version, id, err)
			}
			r := b.seen(keyFindCoordinator)[0]
			m := r.body.(*kmsg.FindCoordinatorRequest)
			if r.version != version || m.CoordinatorType != 1 || version < 4 && m.CoordinatorKey != "id" ||
				version >= 4 && (len(m.CoordinatorKeys) != 1 || m.CoordinatorKeys[0] != "id") {
				t.Errorf("v%d: %+v", r.version, m)
			}
			init := b.seen(keyInitProducerID)[0].body.(*kmsg.InitProducerIDRequest)
			if *init.TransactionalID != "id" || init.TransactionTimeoutMillis != 60000 {
				t.Errorf("%+v", init)
			}
		})
	}
}
