package kring

import (
	"slices"
	"testing"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/internal/otlp"
)

// metered is a producer that does nothing, with a broker that has measured.
func metered(t *testing.T) (*Producer, *broker) {
	t.Helper()
	p, err := New(Brokers("127.0.0.1:1"), TransactionalID("tx"), ClientRack("r1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	b := newBroker(p, 3, "127.0.0.1:1")
	p.brokers.Store(&[]*broker{b})
	close(b.stopDone) // it has no goroutine that would
	b.stopSeen = true
	return p, b
}

func find(d *otlp.Data, name string) *otlp.Metric {
	for i := range d.Metrics {
		if d.Metrics[i].Name == name {
			return &d.Metrics[i]
		}
	}
	return nil
}

// TestCollector follows one gauge and one sum over three pushes, of which the
// second does not arrive.
func TestCollector(t *testing.T) {
	const sum, gauge = javaMetrics + "record.error.total", javaMetrics + "node.request.latency"
	for _, delta := range []bool{false, true} {
		p, b := metered(t)
		c := newCollector(p)
		c.subscription = &cluster.Subscription{Metrics: []string{""}, Delta: delta}
		for i, want := range []struct {
			count, total int64 // with delta, and without
			avg, most    float64
		}{
			{count: 10, total: 10, avg: 2, most: 3},
			{count: 10, total: 20, avg: 2, most: 3},
			{count: 20, total: 30, avg: 2, most: 3},
		} {
			p.stats.failed(10)
			b.meters.latency.add(int64(time.Millisecond))
			b.meters.latency.add(int64(3 * time.Millisecond))
			d := c.collect(time.Now(), extent{brokers: true})
			m := find(d, sum)
			n, start := want.total, c.born
			if delta {
				n, start = want.count, c.since
			}
			if m == nil || !m.Sum || m.Delta != delta || m.Points[0].Count != n || !m.Points[0].Start.Equal(start) {
				t.Errorf("delta %t, push %d: %+v, want %d since %v", delta, i, m, n, start)
			}
			avg, most := find(d, gauge+".avg"), find(d, gauge+".max")
			if avg == nil || most == nil || avg.Points[0].Value != want.avg || most.Points[0].Value != want.most ||
				avg.Points[0].Attributes[0] != (otlp.Attribute{Key: "node_id", Value: "3"}) {
				t.Errorf("push %d: average %+v, maximum %+v", i, avg, most)
			}
			if i == 0 {
				c.pushed()
			}
		}
		c.pushed()
		if m := find(c.collect(time.Now(), extent{brokers: true}), gauge+".avg"); m != nil {
			t.Errorf("an average of nothing: %+v", m)
		}
	}
}

func TestCollectorSelects(t *testing.T) {
	p, b := metered(t)
	b.meters.latency.add(1)
	b.meters.queue.add(1)
	for _, tc := range []struct {
		prefixes []string
		detail   bool
		want     []string
	}{
		{nil, true, nil},
		{[]string{"org.apache.kafka.consumer."}, true, nil},
		{[]string{javaMetrics + "record.queue", javaMetrics + "node."}, true, []string{
			javaMetrics + "record.queue.time.avg", javaMetrics + "record.queue.time.max",
			javaMetrics + "node.request.latency.avg", javaMetrics + "node.request.latency.max",
		}},
		{[]string{javaMetrics + "record.queue", javaMetrics + "node."}, false, []string{
			javaMetrics + "record.queue.time.avg", javaMetrics + "record.queue.time.max",
		}},
		{[]string{javaMetrics + "connection.creation.total"}, true, []string{javaMetrics + "connection.creation.total"}},
	} {
		c := newCollector(p)
		b.meters.latency.add(1)
		b.meters.queue.add(1)
		c.subscription = &cluster.Subscription{Metrics: tc.prefixes}
		d := c.collect(time.Now(), extent{brokers: tc.detail})
		var got []string
		for _, m := range d.Metrics {
			got = append(got, m.Name)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%q selects %q, want %q", tc.prefixes, got, tc.want)
		}
		want := []otlp.Attribute{{Key: "transactional_id", Value: "tx"}, {Key: "client_rack", Value: "r1"}}
		if !slices.Equal(d.Resource, want) {
			t.Errorf("resource %v, want %v", d.Resource, want)
		}
	}
}

// TestCodecChoice: the broker's first choice that kring has.
func TestCodecChoice(t *testing.T) {
	for _, tc := range []struct {
		offer []int8
		want  int8
	}{{nil, 0}, {[]int8{4, 1}, 4}, {[]int8{99, 3, 1}, 3}, {[]int8{0, 4}, 0}, {[]int8{-1}, 0}, {[]int8{2}, 2}} {
		s := &pusher{}
		s.chooseCodec(tc.offer)
		if s.codec != tc.want || (s.compressor == nil) != (tc.want == 0) {
			t.Errorf("of %v it takes %d with %v, want %d", tc.offer, s.codec, s.compressor, tc.want)
		}
	}
}
