package cluster

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// oldestMetadata is the first version that can leave topics uncreated,
	// and of the same release as the oldest Produce this client speaks.
	oldestMetadata = 4
	newestMetadata = 13
)

// Metadata is what a broker said about the cluster, reduced to what makes
// sense. The caller owns it. It is one broker's view at one moment: a topic or
// partition that is missing from it need not be gone, and a leader epoch can be
// older than one seen before.
type Metadata struct {
	ClusterID    string // empty if the broker did not tell
	ControllerID int32  // -1 unknown
	Brokers      []Broker
	Topics       []Topic
	// Rebootstrapped is set when the brokers known before were given up and
	// this answer came by way of the bootstrap list. The connections to
	// the brokers of before must then be closed, even to those that have
	// the same id: it may be another cluster.
	Rebootstrapped bool
	// Dropped counts the entries of the response that made no sense.
	Dropped int
}

// Broker is one broker; ids are unique and not negative, and Host and Port can
// be dialled.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string // empty if it has none
}

// Topic is one of the topics that were asked for; names are unique.
type Topic struct {
	Name      string
	ID        [16]byte // zero if the broker does not know topic ids
	ErrorCode int16
	// Partitions are sorted by Index, and every Index is there once at
	// most. There may be gaps, but Index stays below PartitionLimit of
	// their number, so that an array over them is of reasonable size.
	Partitions []Partition
}

// Partition is one partition of a topic.
type Partition struct {
	Index       int32
	Leader      int32 // the id of one of Brokers, or -1 for none
	LeaderEpoch int32 // -1 unknown
	ErrorCode   int16
}

// Metadata asks one broker for the brokers of the cluster and the named topics;
// with no names, for the brokers only. It makes one pass over the brokers, see
// the package's doc, and remembers those of the answer.
func (c *Client) Metadata(ctx context.Context, topics []string) (*Metadata, error) {
	var metadata *Metadata
	err := c.pass(ctx, func(ctx context.Context, l *Link) error {
		// Before the topics are named: brokers create those that they do not have.
		if err := c.vouch(ctx, l); err != nil {
			return err
		}
		answer, err := c.askMetadata(ctx, l, topics)
		if err != nil {
			return err
		}
		metadata = answer
		c.learnLocked(answer)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return metadata, nil
}

// askMetadata is one request over l. Its errors are all of the broker's fault:
// another may do better.
func (c *Client) askMetadata(ctx context.Context, l *Link, topics []string) (*Metadata, error) {
	version, ok := l.Versions.Pick(keyMetadata, oldestMetadata, newestMetadata)
	if !ok {
		return nil, l.Versions.unsupported("Metadata", keyMetadata, oldestMetadata, newestMetadata)
	}
	response, err := c.send(ctx, l, metadataRequest(version, topics, !c.cfg.NoAutoCreate))
	if err != nil {
		return nil, err
	}
	message := response.(*kmsg.MetadataResponse)
	if message.ErrorCode != codeNone {
		return nil, &CodeError{Code: message.ErrorCode, Context: "Metadata of " + l.Address}
	}
	if err := c.identity.check(l.Address, message.ClusterID); err != nil {
		return nil, err
	}
	l.vouched = true
	metadata := convert(message, topics)
	if len(metadata.Brokers) == 0 {
		return nil, &ProtocolError{Address: l.Address, Reason: fmt.Sprintf(
			"its metadata names no usable broker (%d entries make no sense)", metadata.Dropped)}
	}
	if metadata.Dropped > 0 {
		c.cfg.Logger.Warn("metadata entries make no sense and are ignored",
			"broker", l.Address, "entries", metadata.Dropped)
	}
	return metadata, nil
}

// metadataRequest builds the request. An array of topics that is null asks for
// all topics, so the one for no topics is empty instead.
func metadataRequest(version int16, topics []string, create bool) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(version)
	req.AllowAutoTopicCreation = create
	req.Topics = make([]kmsg.MetadataRequestTopic, len(topics))
	for i, name := range topics {
		req.Topics[i] = kmsg.NewMetadataRequestTopic()
		req.Topics[i].Topic = kmsg.StringPtr(name)
	}
	return req
}
