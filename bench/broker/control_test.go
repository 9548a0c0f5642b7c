package broker

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAPIVersions(t *testing.T) {
	b := startTest(t, Config{MaxProduceVersion: 11})
	for version := range int16(5) {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			req := kmsg.NewPtrApiVersionsRequest()
			req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = version, "tester", "1"
			resp := dial(t, b, 1).roundTrip(req).(*kmsg.ApiVersionsResponse)
			found := map[int16]apiRange{}
			for _, k := range resp.ApiKeys {
				found[k.ApiKey] = apiRange{key: k.ApiKey, min: k.MinVersion, max: k.MaxVersion}
			}
			if resp.ErrorCode != errNone || len(found) != 7 {
				t.Errorf("the answer is %+v", resp)
			}
			if got := found[keyProduce]; got.max != 11 {
				t.Errorf("Produce goes up to %d, want 11", got.max)
			}
		})
	}
	t.Run("too new", func(t *testing.T) {
		c := dial(t, b, 1)
		c.write([]byte{0, 0, 0, 9, 0, 18, 0, 99, 0, 0, 0, 7, 0})
		id, body, err := c.frame()
		if err != nil || id != 7 {
			t.Fatalf("correlation id %d, error %v", id, err)
		}
		resp := kmsg.NewPtrApiVersionsResponse()
		if err := resp.ReadFrom(body); err != nil {
			t.Fatal(err)
		}
		if resp.ErrorCode != errUnsupportedVersion || len(resp.ApiKeys) != 7 {
			t.Errorf("the answer is %+v, want UNSUPPORTED_VERSION and the list", resp)
		}
	})
}

func metadataFor(version int16, names ...string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.Version, req.AllowAutoTopicCreation = version, true
	req.Topics = []kmsg.MetadataRequestTopic{}
	for _, name := range names {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		req.Topics = append(req.Topics, topic)
	}
	return req
}

func TestMetadataInEveryVersion(t *testing.T) {
	b := startTest(t, Config{Brokers: 3, Partitions: 7})
	c := dial(t, b, 2)
	for version := range int16(14) {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			resp := c.roundTrip(metadataFor(version, "t")).(*kmsg.MetadataResponse)
			if len(resp.Brokers) != 3 || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 7 {
				t.Fatalf("the answer is %+v, want 3 brokers and 7 partitions", resp)
			}
			for i, broker := range resp.Brokers {
				if got := fmt.Sprintf("%s:%d", broker.Host, broker.Port); broker.NodeID != int32(i+1) || got != b.Addrs()[i] {
					t.Errorf("broker %d is %+v, want %s", i, broker, b.Addrs()[i])
				}
			}
			for i, p := range resp.Topics[0].Partitions {
				if want := int32(i%3 + 1); p.Leader != want || p.ErrorCode != errNone {
					t.Errorf("partition %d is led by %d, code %d; want %d", i, p.Leader, p.ErrorCode, want)
				}
			}
			if id := resp.Topics[0].TopicID; version >= 10 && id != b.topics.Load().byName["t"].id {
				t.Errorf("the topic's id is %x", id)
			}
		})
	}
}

func TestMetadataTopics(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "here", 2)
	id := b.topics.Load().byName["here"].id
	byID := kmsg.NewPtrMetadataRequest()
	byID.Version = 13
	for _, topicID := range [][16]byte{id, {1}} {
		topic := kmsg.NewMetadataRequestTopic()
		topic.TopicID = topicID
		byID.Topics = append(byID.Topics, topic)
	}
	noCreate := metadataFor(9, "absent")
	noCreate.AllowAutoTopicCreation = false
	all := metadataFor(9)
	all.Topics = nil
	tests := []struct {
		name string
		req  *kmsg.MetadataRequest
		want []int16
	}{
		{"none", metadataFor(9), nil},
		{"all", all, []int16{errNone}},
		{"all in version 0", metadataFor(0), []int16{errNone}},
		{"by id", byID, []int16{errNone, errUnknownTopicID}},
		{"the client forbids creation", noCreate, []int16{errUnknownTopicOrPartition}},
		{"invalid name", metadataFor(9, "no/slash", "", "."), []int16{errInvalidTopic, errInvalidTopic, errInvalidTopic}},
		{"created", metadataFor(9, "new"), []int16{errNone}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			resp := dial(t, b, 1).roundTrip(tc.req).(*kmsg.MetadataResponse)
			if len(resp.Topics) != len(tc.want) {
				t.Fatalf("%d topics, want %d", len(resp.Topics), len(tc.want))
			}
			for i, topic := range resp.Topics {
				if topic.ErrorCode != tc.want[i] {
					t.Errorf("topic %d: code %d, want %d", i, topic.ErrorCode, tc.want[i])
				}
			}
		})
	}
	t.Run("the broker forbids creation", func(t *testing.T) {
		b := startTest(t, Config{NoAutoCreate: true})
		resp := dial(t, b, 1).roundTrip(metadataFor(9, "t")).(*kmsg.MetadataResponse)
		if got := resp.Topics[0].ErrorCode; got != errUnknownTopicOrPartition {
			t.Errorf("code %d, want %d", got, errUnknownTopicOrPartition)
		}
	})
	t.Run("the id depends on the name only", func(t *testing.T) {
		other := startTest(t, Config{Brokers: 2})
		createTopic(t, other, "here", 9)
		if got := other.topics.Load().byName["here"].id; !bytes.Equal(got[:], id[:]) {
			t.Errorf("the id is %x in one cluster and %x in another", id, got)
		}
	})
}

func TestInitProducerID(t *testing.T) {
	b := startTest(t, Config{})
	c := dial(t, b, 1)
	last := int64(0)
	for version := range int16(6) {
		t.Run(fmt.Sprintf("v%d", version), func(t *testing.T) {
			req := kmsg.NewPtrInitProducerIDRequest()
			req.Version = version
			resp := c.roundTrip(req).(*kmsg.InitProducerIDResponse)
			if resp.ErrorCode != errNone || resp.ProducerID <= last || resp.ProducerEpoch != 0 {
				t.Errorf("the answer is %+v, want a producer id above %d and epoch 0", resp, last)
			}
			last = resp.ProducerID
		})
	}
	t.Run("transactional", func(t *testing.T) {
		req := kmsg.NewPtrInitProducerIDRequest()
		id := "tx"
		req.Version, req.TransactionalID = 4, &id
		if got := c.roundTrip(req).(*kmsg.InitProducerIDResponse).ErrorCode; got != errTransactionalIDDenied {
			t.Errorf("code %d, want %d", got, errTransactionalIDDenied)
		}
	})
}

// librdkafka looks whether the broker has it before it compresses with LZ4.
func TestThereIsNoCoordinator(t *testing.T) {
	c := dial(t, startTest(t, Config{}), 1)
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.CoordinatorKey = "tx"
	resp := c.roundTrip(req).(*kmsg.FindCoordinatorResponse)
	if resp.ErrorCode != errCoordinatorNotAvailable || resp.NodeID != -1 {
		t.Errorf("the answer is %+v, want COORDINATOR_NOT_AVAILABLE", resp)
	}
}

func TestUnknownAPIEndsTheConnection(t *testing.T) {
	b := startTest(t, Config{})
	for _, req := range []kmsg.Request{kmsg.NewPtrListGroupsRequest(), &kmsg.FetchRequest{Version: 3}, &kmsg.FetchRequest{Version: 13}} {
		t.Run(fmt.Sprintf("%s v%d", kmsg.NameForKey(req.Key()), req.GetVersion()), func(t *testing.T) {
			c := dial(t, b, 1)
			c.send(req)
			c.closed()
		})
	}
	if got := b.Stats().Malformed; got != 3 {
		t.Errorf("%d requests are counted as malformed, want 3", got)
	}
}
