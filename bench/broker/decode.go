package broker

import "github.com/twmb/franz-go/pkg/kmsg"

// The control requests are decoded here, into kmsg's structs, and not by kmsg:
// its reader counts down the tags that a peer claims, up to 2^32 of them, even
// when no byte is left, which is minutes for a request of a few bytes. Fields
// behind the last one that the broker uses are not looked at.

func decodeMetadata(cur *cursor, version int16) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = version
	flexible := req.IsFlexible()
	isNull, n := cur.nullableArrayLen(flexible)
	if !isNull {
		req.Topics = []kmsg.MetadataRequestTopic{}
	}
	for ; n > 0 && !cur.bad; n-- {
		topic := kmsg.NewMetadataRequestTopic()
		if version >= 10 {
			copy(topic.TopicID[:], cur.take(len(topic.TopicID)))
		}
		if name := cur.nullableString(flexible); name != nil {
			s := string(name)
			topic.Topic = &s
		}
		cur.tags(flexible)
		req.Topics = append(req.Topics, topic)
	}
	if version >= 4 {
		req.AllowAutoTopicCreation = cur.int8() != 0
	}
	return req
}

func decodeInitProducerID(cur *cursor, version int16) *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version = version
	if id := cur.nullableString(req.IsFlexible()); id != nil {
		s := string(id)
		req.TransactionalID = &s
	}
	return req
}

func decodeListOffsets(cur *cursor, version int16) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version = version
	flexible := req.IsFlexible()
	req.ReplicaID = cur.int32()
	if version >= 2 {
		req.IsolationLevel = cur.int8()
	}
	for n := cur.arrayLen(flexible); n > 0 && !cur.bad; n-- {
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = string(cur.nullableString(flexible))
		for m := cur.arrayLen(flexible); m > 0 && !cur.bad; m-- {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition = cur.int32()
			if version >= 4 {
				p.CurrentLeaderEpoch = cur.int32()
			}
			p.Timestamp = cur.int64()
			cur.tags(flexible)
			topic.Partitions = append(topic.Partitions, p)
		}
		cur.tags(flexible)
		req.Topics = append(req.Topics, topic)
	}
	return req
}

func decodeFetch(cur *cursor, version int16) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version = version
	flexible := req.IsFlexible()
	req.ReplicaID = cur.int32()
	req.MaxWaitMillis = cur.int32()
	req.MinBytes = cur.int32()
	req.MaxBytes = cur.int32()
	req.IsolationLevel = cur.int8()
	if version >= 7 {
		req.SessionID = cur.int32()
		req.SessionEpoch = cur.int32()
	}
	for n := cur.arrayLen(flexible); n > 0 && !cur.bad; n-- {
		topic := kmsg.NewFetchRequestTopic()
		topic.Topic = string(cur.nullableString(flexible))
		for m := cur.arrayLen(flexible); m > 0 && !cur.bad; m-- {
			topic.Partitions = append(topic.Partitions, decodeFetchPartition(cur, version, flexible))
		}
		cur.tags(flexible)
		req.Topics = append(req.Topics, topic)
	}
	return req
}

func decodeFetchPartition(cur *cursor, version int16, flexible bool) kmsg.FetchRequestTopicPartition {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition = cur.int32()
	if version >= 9 {
		p.CurrentLeaderEpoch = cur.int32()
	}
	p.FetchOffset = cur.int64()
	if version >= 12 {
		p.LastFetchedEpoch = cur.int32()
	}
	if version >= 5 {
		p.LogStartOffset = cur.int64()
	}
	p.PartitionMaxBytes = cur.int32()
	cur.tags(flexible)
	return p
}
