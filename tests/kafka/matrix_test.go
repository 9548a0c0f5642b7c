//go:build kafka

package kafka_test

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/tests/kafka/matrix"
	"github.com/kring-go/kring/tests/kafka/readback"
	"github.com/kring-go/kring/tests/kafka/rig"
	"github.com/kring-go/kring/tests/kafka/senders"
	"github.com/kring-go/kring/tests/ledger"
)

var matrixOf = flag.String("matrix", "", `releases of Apache Kafka for TestMatrix, e.g. "3.0.0,4.3.1"; empty leaves it out`)

// TestMatrix runs the same checks against one node of each release, reads along
// what is spoken, and writes down both: see package matrix.
func TestMatrix(t *testing.T) {
	if *matrixOf == "" {
		t.Skip("needs -matrix: it is what make matrix runs")
	}
	for release := range strings.SplitSeq(*matrixOf, ",") {
		ran := false
		t.Run(release, func(t *testing.T) {
			t.Setenv("KAFKA_VERSION", release)
			t.Setenv("KRING_KAFKA", "")
			m := newMatrixRun(t, release)
			for _, check := range m.checks() {
				passed := t.Run(check.name, check.run)
				m.done = append(m.done, matrix.Check{Name: check.name, Passed: passed})
			}
			m.save(t)
			ran = true
		})
		if !ran {
			t.Errorf("%s: there is no result", release)
		}
	}
	if err := matrix.WritePage(matrix.At("..", "..")); err != nil {
		t.Error(err)
	}
}

// matrixRun is the run against one release.
type matrixRun struct {
	*cluster
	tap  *matrix.Tap
	done []matrix.Check
	// since37 says that the release takes client metrics (KIP-714) and names
	// new leaders (KIP-951).
	since37 bool
	// since33 says that KRaft is no preview any more: before, nobody can have
	// it move a leader.
	since33 bool
}

type matrixCheck struct {
	name string
	run  func(*testing.T)
}

func newMatrixRun(t *testing.T, release string) *matrixRun {
	t.Helper()
	m := &matrixRun{tap: matrix.NewTap(release)}
	r, err := rig.Open()
	if err != nil {
		t.Fatal(err)
	}
	m.since33 = r.AtLeast(3, 3)
	configs := []string{"transaction.abort.timed.out.transaction.cleanup.interval.ms=500"}
	if m.since37 = r.AtLeast(3, 7); m.since37 {
		configs = append(configs, "metric.reporters=TelemetrySink", "kring.telemetry.dir="+t.TempDir())
	}
	m.cluster = need(t, 1, configs...)
	return m
}

func (m *matrixRun) checks() []matrixCheck {
	all := []matrixCheck{
		{"acks=0", m.sends(senders.Options{Acks: "0"})},
		{"acks=1", m.sends(senders.Options{Acks: "1"})},
		{"acks=all", m.sends(senders.Options{Plain: true})},
		{"idempotent", m.sends(senders.Options{})},
	}
	for _, codec := range []string{"gzip", "snappy", "lz4", "zstd"} {
		all = append(all, matrixCheck{codec, m.sends(senders.Options{Compression: codec})})
	}
	all = append(all,
		matrixCheck{"nulls and headers", m.testNulls},
		matrixCheck{"transactions", m.testTransactions},
		matrixCheck{"topic made anew", m.testRecreated},
	)
	if m.since37 {
		all = append(all, matrixCheck{"client metrics", m.testMetrics})
	}
	if m.since33 {
		all = append(all, matrixCheck{"leader moves", m.testLeaderMoves}) // takes another cluster, so it is the last
	}
	return all
}

// sends is a mixed load that is read back byte for byte.
func (m *matrixRun) sends(o senders.Options) func(*testing.T) {
	return func(t *testing.T) {
		o.Dial = m.tap.Dial
		plan := newPlan(t, m.topic(t, 6), 6, 5000)
		plan.Text = o.Compression != ""
		book := drive(t, m.cluster, "kring", plan, ledger.Pace{}, o)
		if o.Acks == "0" {
			m.settle(t, book)
		}
		if got := book.Outcomes()["acked"]; got != plan.Records {
			t.Errorf("%d of %d records were acknowledged", got, plan.Records)
		}
		checker := ledger.NewChecker(book, ledger.Rules{})
		if _, err := readback.Franz(t.Context(), m.bootstrap, plan.Topic, checker.Add); err != nil {
			t.Fatal(err)
		}
		if err := checker.Finish().Err(); err != nil {
			t.Error(err)
		}
	}
}

func (m *matrixRun) producer(t *testing.T, options ...kring.Option) *kring.Producer {
	t.Helper()
	return producerOf(t, m.cluster, append(options, kring.WithDialer(m.tap.Dial))...)
}

func producerOf(t *testing.T, c *cluster, options ...kring.Option) *kring.Producer {
	t.Helper()
	p, err := kring.New(append(options, kring.Brokers(c.bootstrap...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

// testNulls tells null from empty, in keys, values and headers.
func (m *matrixRun) testNulls(t *testing.T) {
	topic := m.topic(t, 1)
	p := m.producer(t)
	sent := []kring.Record{
		{},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("k"), Headers: []kring.Header{{Key: "h", Value: nil}, {Key: "h", Value: []byte{}}, {Key: "", Value: []byte("v")}}},
	}
	for _, r := range sent {
		r.Topic = topic
		if _, err := p.ProduceSync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(m.bootstrap...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var got []*kgo.Record
	for len(got) < len(sent) {
		fetches := client.PollFetches(inAMinute(t))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		got = append(got, fetches.Records()...)
	}
	for i, r := range sent {
		want := &kgo.Record{Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			want.Headers = append(want.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		if shape(got[i]) != shape(want) {
			t.Errorf("record %d is %s, want %s", i, shape(got[i]), shape(want))
		}
	}
}

// shape spells nil and empty slices differently.
func shape(r *kgo.Record) string {
	text := fmt.Sprintf("%#v %#v", r.Key, r.Value)
	for _, h := range r.Headers {
		text += fmt.Sprintf(" %q=%#v", h.Key, h.Value)
	}
	return text
}

// testTransactions commits and aborts in turns.
func (m *matrixRun) testTransactions(t *testing.T) {
	r := &txnRig{cluster: m.cluster, topic: m.topic(t, txnPartitions), options: []kring.Option{kring.WithDialer(m.tap.Dial)}}
	r.testOutcomes(t)
	r.testOffsets(t)
	r.checkCommitted(t)
}

// testRecreated deletes a topic under a producer and makes another one of the
// same name: what is accepted from then on is in the new one.
func (m *matrixRun) testRecreated(t *testing.T) {
	const partitions = 3
	name := topicName(t)
	m.forget(t, name)
	p := m.producer(t, kring.MetadataMaxAge(2*time.Second))
	send := func(text string) {
		t.Helper()
		for i := range int32(30) {
			r := kring.Record{Topic: name, Partition: kring.On(i % partitions), Value: fmt.Appendf(nil, "%s-%d", text, i)}
			if _, err := p.ProduceSync(inAMinute(t), r); err != nil {
				t.Fatalf("%s: %v", r.Value, err)
			}
		}
	}
	for _, round := range []string{"old", "new"} {
		if err := m.admin.CreateTopic(inAMinute(t), name, partitions, 1); err != nil {
			t.Fatal(err)
		}
		send(round)
		if round == "old" {
			if err := m.admin.DeleteTopic(inAMinute(t), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := 0
	if _, err := readback.Franz(t.Context(), m.bootstrap, name, func(*ledger.Entry) { n++ }); err != nil {
		t.Fatal(err)
	}
	if n != 30 {
		t.Errorf("the new topic has %d records, want the 30 that were acknowledged since", n)
	}
}

// testMetrics waits until a push has been accepted.
func (m *matrixRun) testMetrics(t *testing.T) {
	subscribe(t, m.cluster, "org.apache.kafka.producer.", "300")
	topic := m.topic(t, 1)
	p := m.producer(t)
	for limit := time.Now().Add(30 * time.Second); ; {
		if _, err := p.ProduceSync(inAMinute(t), kring.Record{Topic: topic, Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		seen, err := m.tap.Result()
		switch {
		case err != nil:
			t.Fatal(err)
		case seen.MetricsPushed:
			return
		case time.Now().After(limit):
			t.Fatal("no push was accepted in 30 s")
		}
	}
}

// testLeaderMoves moves a partition's leader under a producer, on three nodes.
// It learns the new one from the refusal, where the release names it there.
func (m *matrixRun) testLeaderMoves(t *testing.T) {
	c := need(t, 3, "log.retention.check.interval.ms=5000")
	topic := c.topic(t, 1)
	p := producerOf(t, c, kring.WithDialer(m.tap.Dial))
	sent := 0
	for move := 0; move < 10; move++ {
		for range 20 {
			if _, err := p.ProduceSync(inAMinute(t), kring.Record{Topic: topic, Value: fmt.Append(nil, sent)}); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		seen, err := m.tap.Result()
		if err != nil {
			t.Fatal(err)
		}
		if move > 0 && (seen.LeaderHints || !m.since37 && move == 2) {
			break
		}
		if err := c.admin.MoveLeader(inAMinute(t), topic, 0); err != nil {
			t.Fatal(err)
		}
	}
	if seen, _ := m.tap.Result(); seen.LeaderHints != m.since37 {
		t.Errorf("leader hints seen: %v, want %v", seen.LeaderHints, m.since37)
	}
	next := 0
	if _, err := readback.Franz(t.Context(), c.bootstrap, topic, func(e *ledger.Entry) {
		if e.Offset != int64(next) {
			t.Errorf("offset %d after %d", e.Offset, next-1)
		}
		next++
	}); err != nil {
		t.Fatal(err)
	}
	if next != sent {
		t.Errorf("%d records in the log, want the %d that were acknowledged", next, sent)
	}
}

// save writes the result beside the others.
func (m *matrixRun) save(t *testing.T) {
	t.Helper()
	result, err := m.tap.Result()
	if err != nil {
		t.Fatal(err)
	}
	result.Checks = m.done
	if err := result.Save(matrix.At("..", "..").Folder()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *result)
}
