package broker

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// apiRange is the versions of an API that the broker speaks.
type apiRange struct {
	key, min, max int16
	flexible      int16 // the first version with tags
}

// apis lists what the broker speaks beside Produce. Fetch ends before topics
// are named by id. librdkafka needs Fetch 4 to be there before it produces
// record batches of version 2 at all, and FindCoordinator 0 before it compresses
// with LZ4.
func (b *Broker) apis() []apiRange {
	return []apiRange{
		// Kafka 4 says 0 too: an old librdkafka would take Produce for missing
		// otherwise (KAFKA-18659). Versions below 3 end the connection.
		{keyProduce, 0, b.cfg.MaxProduceVersion, flexibleProduce},
		{int16(kmsg.Fetch), 4, 12, 12},
		{int16(kmsg.ListOffsets), 1, 7, 6},
		{int16(kmsg.Metadata), 0, 13, 9},
		{int16(kmsg.ApiVersions), 0, 4, 3},
		{int16(kmsg.InitProducerID), 0, 5, 2},
		{int16(kmsg.FindCoordinator), 0, 0, 3},
	}
}

// handleControl answers everything but Produce.
func (c *conn) handleControl(h *requestHeader, cur *cursor) bool {
	apis := c.b.apis()
	i := slices.IndexFunc(apis, func(a apiRange) bool { return a.key == h.key })
	if i < 0 {
		return c.malformed()
	}
	supported := h.version >= apis[i].min && h.version <= apis[i].max
	if h.key == int16(kmsg.ApiVersions) && !supported {
		return c.unsupportedAPIVersions(h)
	}
	if !supported {
		return c.malformed()
	}
	flexible := apis[i].flexible <= h.version
	h.clientID = cur.nullableString(false)
	cur.tags(flexible)
	resp, ok := c.control(h, cur)
	if cur.bad {
		return c.malformed()
	}
	if !ok {
		return false
	}
	c.begin(h.correlation, flexible && h.key != int16(kmsg.ApiVersions))
	c.out = resp.AppendTo(c.out)
	return c.send()
}

// control decodes and serves a request. The answer is void if cur.bad; false
// means that the connection ended while the request waited.
func (c *conn) control(h *requestHeader, cur *cursor) (resp kmsg.Response, ok bool) {
	switch kmsg.Key(h.key) {
	case kmsg.Metadata:
		if req := decodeMetadata(cur, h.version); !cur.bad {
			resp = c.metadata(req)
		}
	case kmsg.InitProducerID:
		if req := decodeInitProducerID(cur, h.version); !cur.bad {
			resp = c.initProducerID(req)
		}
	case kmsg.FindCoordinator:
		resp = noCoordinator()
	case kmsg.ListOffsets:
		if req := decodeListOffsets(cur, h.version); !cur.bad {
			resp = c.listOffsets(req)
		}
	case kmsg.Fetch:
		if req := decodeFetch(cur, h.version); !cur.bad {
			return c.fetch(req)
		}
	default: // ApiVersions: what the client says of itself does not matter
		resp = c.apiVersions(h.version)
	}
	return resp, true
}

// unsupportedAPIVersions answers a version of ApiVersions that is too new in
// the form of version 0, which every client can read; the list tells it which
// version to ask with.
func (c *conn) unsupportedAPIVersions(h *requestHeader) bool {
	resp := c.apiVersions(0)
	resp.ErrorCode = errUnsupportedVersion
	c.begin(h.correlation, false)
	c.out = resp.AppendTo(c.out)
	return c.send()
}

func (c *conn) apiVersions(version int16) *kmsg.ApiVersionsResponse {
	c.b.stats.apiVersions.Add(1)
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.Version = version
	for _, a := range c.b.apis() {
		key := kmsg.NewApiVersionsResponseApiKey()
		key.ApiKey, key.MinVersion, key.MaxVersion = a.key, a.min, a.max
		resp.ApiKeys = append(resp.ApiKeys, key)
	}
	return resp
}

// initProducerID hands out a producer id that nobody had, epoch 0. There are no
// transactions.
func (c *conn) initProducerID(req *kmsg.InitProducerIDRequest) *kmsg.InitProducerIDResponse {
	c.b.stats.initProducerID.Add(1)
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	if req.TransactionalID != nil {
		resp.ErrorCode = errTransactionalIDDenied
		resp.ProducerID, resp.ProducerEpoch = -1, -1
		return resp
	}
	resp.ProducerID = c.b.lastProducerID.Add(1)
	return resp
}

// noCoordinator is the answer to whoever asks for one: there are no groups and
// no transactions.
func noCoordinator() *kmsg.FindCoordinatorResponse {
	resp := kmsg.NewPtrFindCoordinatorResponse()
	resp.ErrorCode, resp.NodeID, resp.Port = errCoordinatorNotAvailable, -1, -1
	return resp
}

func (c *conn) metadata(req *kmsg.MetadataRequest) *kmsg.MetadataResponse {
	c.b.stats.metadata.Add(1)
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	resp.ClusterID = &c.b.cfg.ClusterID
	for _, n := range c.b.nodes {
		if n.fenced.Load() {
			continue
		}
		if len(resp.Brokers) == 0 {
			resp.ControllerID = n.id
		}
		broker := kmsg.NewMetadataResponseBroker()
		broker.NodeID = n.id
		broker.Host, broker.Port = n.endpoint()
		resp.Brokers = append(resp.Brokers, broker)
	}
	mayCreate := req.Version < 4 || req.AllowAutoTopicCreation
	switch {
	case req.Topics == nil, req.Version == 0 && len(req.Topics) == 0:
		for _, t := range c.b.topics.Load().byName {
			resp.Topics = append(resp.Topics, t.describe())
		}
		slices.SortFunc(resp.Topics, func(a, b kmsg.MetadataResponseTopic) int {
			return strings.Compare(*a.Topic, *b.Topic)
		})
	default:
		for _, rt := range req.Topics {
			resp.Topics = append(resp.Topics, c.b.describeRequested(rt, mayCreate))
		}
	}
	return resp
}

// describeRequested answers for a topic that is asked for by name or id.
func (b *Broker) describeRequested(rt kmsg.MetadataRequestTopic, mayCreate bool) kmsg.MetadataResponseTopic {
	var t *topic
	code := errUnknownTopicID
	if rt.Topic != nil {
		t, code = b.ensureTopic(*rt.Topic, mayCreate)
	} else {
		t = b.topics.Load().byID[rt.TopicID]
	}
	if t != nil {
		return t.describe()
	}
	mt := kmsg.NewMetadataResponseTopic()
	mt.ErrorCode, mt.Topic, mt.TopicID = code, rt.Topic, rt.TopicID
	return mt
}

// describe is what Metadata says of a topic.
func (t *topic) describe() kmsg.MetadataResponseTopic {
	mt := kmsg.NewMetadataResponseTopic()
	mt.Topic, mt.TopicID = &t.name, t.id
	mt.Partitions = make([]kmsg.MetadataResponseTopicPartition, len(t.partitions))
	for i := range t.partitions {
		p := &t.partitions[i]
		p.mu.Lock()
		leader, epoch := p.leader, p.leaderEpoch
		p.mu.Unlock()
		mp := kmsg.NewMetadataResponseTopicPartition()
		mp.Partition, mp.Leader, mp.LeaderEpoch = int32(i), leader, epoch
		if leader < 0 {
			mp.ErrorCode = errLeaderNotAvailable
		} else {
			mp.Replicas, mp.ISR = []int32{leader}, []int32{leader}
		}
		mt.Partitions[i] = mp
	}
	return mt
}
