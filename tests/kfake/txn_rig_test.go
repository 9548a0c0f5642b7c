package kfake

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// eachVersion runs a test with and without brokers that add partitions to a
// transaction by themselves (KIP-890).
func eachVersion(t *testing.T, f func(t *testing.T, c *kfake.Cluster, implicit bool)) {
	t.Run("TV2", func(t *testing.T) { f(t, start(t), true) })
	t.Run("TV0", func(t *testing.T) {
		c := start(t)
		withoutImplicitAdding(t, c)
		f(t, c, false)
	})
}

func withoutImplicitAdding(t *testing.T, c *kfake.Cluster) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	update := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	update.Feature, update.MaxVersionLevel, update.UpgradeType = "transaction.version", 0, 2
	req.FeatureUpdates = append(req.FeatureUpdates, update)
	resp, err := req.RequestWith(within(t), cl)
	if err != nil || resp.ErrorCode != 0 {
		t.Fatalf("UpdateFeatures: %v, %+v", err, resp)
	}
}

func transactional(t *testing.T, c *kfake.Cluster, opts ...kring.Option) *kring.Producer {
	t.Helper()
	return open(t, c, append([]kring.Option{kring.TransactionalID("txn"), kring.Linger(0)}, opts...)...)
}

// answerEndTxn has the next EndTxn requests answered with codes, and not acted
// upon; the ones after them go their way.
func answerEndTxn(c *kfake.Cluster, codes ...int16) {
	c.ControlKey(int16(kmsg.EndTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		if len(codes) == 0 {
			return nil, nil, false
		}
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ErrorCode, codes = codes[0], codes[1:]
		return resp, nil, true
	})
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// results collects the errors of deliveries.
type results struct {
	mu   sync.Mutex
	errs []error
}

func (r *results) take(d kring.Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, d.Err)
}

func (r *results) all() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// produceSome accepts n records, spread over all partitions.
func produceSome(t *testing.T, p *kring.Producer, name string, n int, got *results) {
	t.Helper()
	for i := range n {
		r := kring.Record{Topic: "t", Key: fmt.Append(nil, i), Value: fmt.Appendf(nil, "%s-%d", name, i)}
		must(t, "Produce", p.Produce(within(t), r, got.take))
	}
}

// committed returns the values that a reader of committed records sees, after
// a marker that is produced without a transaction to every partition.
func committed(t *testing.T, c *kfake.Cluster) []string {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("t"),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx := within(t)
	for i := range int32(partitions) {
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "t", Partition: i, Value: []byte("end")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	var values []string
	for ends := 0; ends < partitions; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%d values read: %v", len(values), err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) == "end" {
				ends++
				return
			}
			values = append(values, string(r.Value))
		})
	}
	slices.Sort(values)
	return values
}

func wantCommitted(t *testing.T, c *kfake.Cluster, names ...string) {
	t.Helper()
	const n = 50
	var want []string
	for _, name := range names {
		for i := range n {
			want = append(want, fmt.Sprintf("%s-%d", name, i))
		}
	}
	slices.Sort(want)
	if got := committed(t, c); !slices.Equal(got, want) {
		t.Errorf("committed: %d records, want %d of %v: %v", len(got), len(want), names, got)
	}
}
