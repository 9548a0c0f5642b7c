package matrix

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fail keeps the first error.
func (t *Tap) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// spoke notes the version of a request.
func (t *Tap) spoke(key, version int16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := kmsg.NameForKey(key)
	versions := t.result.Spoke[name]
	if at, found := slices.BinarySearch(versions, version); !found {
		t.result.Spoke[name] = slices.Insert(versions, at, version)
	}
}

// produced looks for topic ids in place of names.
func (t *Tap) produced(r *kmsg.ProduceRequest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, topic := range r.Topics {
		if topic.Topic == "" && topic.TopicID != [16]byte{} {
			t.result.TopicIDsUsed = true
		}
	}
}

// answered looks for what a release may tell or not.
func (t *Tap) answered(r kmsg.Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch r := r.(type) {
	case *kmsg.ApiVersionsResponse:
		for _, f := range r.FinalizedFeatures {
			if f.Name == "transaction.version" {
				t.result.TransactionVersion = f.MaxVersionLevel
			}
		}
		for _, k := range r.ApiKeys {
			if k.ApiKey == int16(kmsg.PushTelemetry) {
				t.result.MetricsOffered = true
			}
		}
	case *kmsg.MetadataResponse:
		for _, topic := range r.Topics {
			if topic.TopicID != [16]byte{} {
				t.result.TopicIDsTold = true
			}
		}
	case *kmsg.ProduceResponse:
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				if p.CurrentLeader.LeaderID >= 0 && p.ErrorCode != 0 {
					t.result.LeaderHints = true
				}
			}
		}
	case *kmsg.PushTelemetryResponse:
		if r.ErrorCode == 0 {
			t.result.MetricsPushed = true
		}
	}
}
