package ledger

// Entry is one record as a foreign reader saw it in the log: hashes instead of
// bytes, so that millions of them can come through a pipe.
type Entry struct {
	Partition   int32
	Offset      int64
	Timestamp   int64
	KeySize     int32 // -1: null
	ValueSize   int32 // -1: null
	Headers     int32
	KeyHash     uint64
	ValueHash   uint64
	HeadersHash uint64
	Prefix      [StampSize]byte // the beginning of the value, zero after its end
}

// Fill makes an entry of a record's parts; readers that have the bytes use it.
func (e *Entry) Fill(partition int32, offset, timestamp int64, key, value []byte, headers []Header) {
	*e = Entry{
		Partition: partition, Offset: offset, Timestamp: timestamp,
		KeySize: sizeOf(key), ValueSize: sizeOf(value), Headers: int32(len(headers)),
		KeyHash: Hash(key), ValueHash: Hash(value), HeadersHash: HashHeaders(headers),
	}
	copy(e.Prefix[:], value)
}

func sizeOf(b []byte) int32 {
	if b == nil {
		return -1
	}
	return int32(len(b))
}

func (e *Entry) digest() uint64 { return digest(e.KeyHash, e.ValueHash, e.HeadersHash) }

// stamp returns the stamp of the value, if it is one of this run and topic.
func (e *Entry) stamp(run uint64, topic uint32) (Stamp, bool) {
	if e.ValueSize < StampSize {
		return Stamp{}, false
	}
	s, ok := ReadStamp(e.Prefix[:])
	return s, ok && s.Run == run && s.Topic == topic
}
