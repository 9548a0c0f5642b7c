package cluster

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/kring-go/kring/cluster"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

func newCluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(3), kfake.SeedTopics(12, "t"), kfake.DefaultNumPartitions(4), kfake.AllowAutoTopicCreation(),
	}, opts...)...)
	if err != nil {
		t.Fatalf("kfake: %v", err)
	}
	t.Cleanup(fake.Close)
	return fake
}

func newClient(t *testing.T, fake *kfake.Cluster, change func(*cluster.Config)) *cluster.Client {
	t.Helper()
	cfg := cluster.Config{Bootstrap: fake.ListenAddrs(), ClientID: "kfake-test"}
	if change != nil {
		change(&cfg)
	}
	c, err := cluster.NewClient(cfg)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func metadata(t *testing.T, c *cluster.Client, topics ...string) *cluster.Metadata {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m, err := c.Metadata(ctx, topics)
	if err != nil {
		t.Fatalf("Metadata(%q): %v", topics, err)
	}
	return m
}

func TestMetadata(t *testing.T) {
	versions := []struct {
		name    string
		opt     kfake.Opt
		ids     bool
		produce int16
	}{
		{"stable", nil, true, 13},
		{"0.11", kfake.MaxVersions(kversion.V0_11_0()), false, 3},
		{"2.3", kfake.MaxVersions(kversion.V2_3_0()), false, 7},
		{"2.8", kfake.MaxVersions(kversion.V2_8_0()), true, 9},
		{"3.8", kfake.MaxVersions(kversion.V3_8_0()), true, 11},
	}
	for _, tc := range versions {
		t.Run(tc.name, func(t *testing.T) {
			var opts []kfake.Opt
			if tc.opt != nil {
				opts = append(opts, tc.opt)
			}
			fake := newCluster(t, opts...)
			c := newClient(t, fake, nil)
			m := metadata(t, c, "t")
			if len(m.Brokers) != 3 || len(m.Topics) != 1 || m.Dropped != 0 {
				t.Fatalf("Metadata = %+v, want 3 brokers and 1 topic", m)
			}
			topic := m.Topics[0]
			if topic.Name != "t" || topic.ErrorCode != 0 || len(topic.Partitions) != 12 {
				t.Errorf("topic = %+v, want t with 12 partitions", topic)
			}
			if got := topic.ID != [16]byte{}; got != tc.ids {
				t.Errorf("topic id known: %v, want %v", got, tc.ids)
			}
			for i, p := range topic.Partitions {
				if p.Index != int32(i) || p.Leader < 0 || p.ErrorCode != 0 {
					t.Errorf("partition %d = %+v", i, p)
				}
			}
			for _, b := range m.Brokers {
				link, err := c.Connect(t.Context(), net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))))
				if err != nil {
					t.Fatalf("Connect to broker %d: %v", b.ID, err)
				}
				if version, err := link.Versions.Produce(13); version != tc.produce || err != nil {
					t.Errorf("Produce version = %d, %v; want %d", version, err, tc.produce)
				}
				link.Close()
			}
		})
	}
}

func TestAutoCreation(t *testing.T) {
	fake := newCluster(t)
	refuses := newClient(t, fake, func(cfg *cluster.Config) { cfg.NoAutoCreate = true })
	for range 2 {
		topic := metadata(t, refuses, "new").Topics[0]
		if topic.ErrorCode != kerr.UnknownTopicOrPartition.Code {
			t.Errorf("topic = %+v, want it unknown", topic)
		}
	}
	creates := newClient(t, fake, nil)
	metadata(t, creates, "new") // May say that there is no leader yet.
	if topic := metadata(t, creates, "new").Topics[0]; topic.ErrorCode != 0 || len(topic.Partitions) != 4 {
		t.Errorf("topic = %+v, want it created with 4 partitions", topic)
	}
}

func TestInitProducerID(t *testing.T) {
	fake := newCluster(t)
	refusals := 3
	fake.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if refusals == 0 {
			return nil, nil, false
		}
		refusals--
		fake.KeepControl()
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.CoordinatorLoadInProgress.Code
		return resp, nil, true
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := make(map[int64]bool)
	for range 3 {
		id, epoch, err := newClient(t, fake, nil).InitProducerID(ctx)
		if err != nil || id < 0 || epoch != 0 || seen[id] {
			t.Errorf("InitProducerID = %d, %d, %v; want another id and epoch 0", id, epoch, err)
		}
		seen[id] = true
	}
	if refusals != 0 {
		t.Errorf("%d refusals left, want them retried", refusals)
	}
}

func TestFailover(t *testing.T) {
	fake := newCluster(t)
	c := newClient(t, fake, nil)
	first := metadata(t, c, "t")
	// The control link's broker hangs up on the next request, and again.
	hangUps := 2
	fake.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		if hangUps == 0 {
			return nil, nil, false
		}
		hangUps--
		fake.KeepControl()
		return nil, errors.New("hang up"), true
	})
	second := metadata(t, c, "t")
	if second.ClusterID != first.ClusterID || len(second.Brokers) != 3 || hangUps != 0 {
		t.Errorf("Metadata = %+v with %d hang-ups left", second, hangUps)
	}
}
