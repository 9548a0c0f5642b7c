package matrix

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/kring-go/kring"
)

// TestTap reads along with a producer and a broker in this process.
func TestTap(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	tap := NewTap("0.0.0")
	p, err := kring.New(kring.Brokers(c.ListenAddrs()...), kring.WithDialer(tap.Dial), kring.DisableMetricsPush())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := p.ProduceSync(t.Context(), kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen, err := tap.Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []string{"ApiVersions", "Metadata", "InitProducerID", "Produce"} {
		if len(seen.Spoke[request]) != 1 {
			t.Errorf("%s was spoken in versions %v, want one", request, seen.Spoke[request])
		}
	}
	if !seen.TopicIDsTold || seen.LeaderHints || seen.MetricsPushed {
		t.Errorf("seen: %+v", seen)
	}
}
