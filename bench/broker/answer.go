package broker

import "encoding/binary"

// encodeProduce builds the answer to a Produce request in c.out, in every
// version from 3 to 13.
func (c *conn) encodeProduce(r *produceRequest, correlation, throttleMs int32) {
	flexible := r.version >= flexibleProduce
	c.begin(correlation, flexible)
	out := appendArrayLen(c.out, len(r.topics), flexible)
	hints := false
	for i := range r.topics {
		t := &r.topics[i]
		if r.version >= topicIDProduce {
			out = append(out, t.id[:]...)
		} else {
			out = appendString(out, t.name, flexible)
		}
		out = appendArrayLen(out, t.count, flexible)
		parts := r.partitions[t.first : t.first+t.count]
		for j := range parts {
			out = parts[j].encode(out, r.version)
			hints = hints || parts[j].code == errNotLeaderOrFollower
		}
		if flexible {
			out = append(out, 0)
		}
	}
	out = binary.BigEndian.AppendUint32(out, uint32(throttleMs))
	switch {
	case hints && r.version >= leaderHintProduce:
		out = c.b.appendEndpoints(out, r)
	case flexible:
		out = append(out, 0)
	}
	c.out = out
}

// encode appends the answer for one partition.
func (pr *producePartition) encode(out []byte, version int16) []byte {
	flexible := version >= flexibleProduce
	out = binary.BigEndian.AppendUint32(out, uint32(pr.index))
	out = binary.BigEndian.AppendUint16(out, uint16(pr.code))
	out = binary.BigEndian.AppendUint64(out, uint64(pr.offset))
	out = binary.BigEndian.AppendUint64(out, 1<<64-1) // log append time: the producer's counts
	if version >= 5 {
		start := int64(0)
		if pr.code != errNone {
			start = -1
		}
		out = binary.BigEndian.AppendUint64(out, uint64(start))
	}
	if version >= 8 {
		out = pr.forced.encode(out, flexible)
	}
	switch {
	case version >= leaderHintProduce && pr.code == errNotLeaderOrFollower:
		// Tag 0: leader id, leader epoch, no tags.
		out = append(out, 1, 0, 9)
		out = binary.BigEndian.AppendUint32(out, uint32(pr.hint.Node))
		out = binary.BigEndian.AppendUint32(out, uint32(pr.hint.Epoch))
		out = append(out, 0)
	case flexible:
		out = append(out, 0)
	}
	return out
}

// appendEndpoints appends tag 0 of the answer: where the leaders live that the
// partitions hint at.
func (b *Broker) appendEndpoints(out []byte, r *produceRequest) []byte {
	var body []byte
	count := 0
	for _, n := range b.nodes {
		if !r.hints(n.id) {
			continue
		}
		count++
		host, port := n.endpoint()
		body = binary.BigEndian.AppendUint32(body, uint32(n.id))
		body = appendString(body, []byte(host), true)
		body = binary.BigEndian.AppendUint32(body, uint32(port))
		body = append(body, 0, 0) // rack null, no tags
	}
	if count == 0 {
		return append(out, 0)
	}
	length := binary.AppendUvarint(nil, uint64(count+1))
	out = append(out, 1, 0)
	out = binary.AppendUvarint(out, uint64(len(length)+len(body)))
	out = append(out, length...)
	return append(out, body...)
}

// hints says whether a partition of the answer names the node as its leader.
func (r *produceRequest) hints(node int32) bool {
	for i := range r.partitions {
		if pr := &r.partitions[i]; pr.code == errNotLeaderOrFollower && pr.hint.Node == node {
			return true
		}
	}
	return false
}

func appendArrayLen(out []byte, n int, flexible bool) []byte {
	if flexible {
		return binary.AppendUvarint(out, uint64(n)+1)
	}
	return binary.BigEndian.AppendUint32(out, uint32(n))
}

func appendString[T string | []byte](out []byte, s T, flexible bool) []byte {
	if flexible {
		out = binary.AppendUvarint(out, uint64(len(s))+1)
	} else {
		out = binary.BigEndian.AppendUint16(out, uint16(len(s)))
	}
	return append(out, s...)
}

// appendNullableString writes an empty string as null.
func appendNullableString(out []byte, s string, flexible bool) []byte {
	switch {
	case s != "":
		return appendString(out, s, flexible)
	case flexible:
		return append(out, 0)
	}
	return append(out, 0xff, 0xff)
}
