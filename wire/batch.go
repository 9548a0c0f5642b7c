package wire

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// BatchHeaderSize is the size of everything before the first record.
const BatchHeaderSize = 61

// Offsets of the fields of a batch header.
const (
	atBaseOffset      = 0
	atLength          = 8
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atRecordCount     = 57
)

const (
	magicV2 = 2
	// lengthBase is what the batch length counts besides the records: the
	// header without base offset and length.
	lengthBase = BatchHeaderSize - atLeaderEpoch
)

// BatchHeader is what varies in the header of a batch. A producer always sends
// base offset 0 and partition leader epoch -1, which the broker replaces; they
// and the length are before the part that the CRC covers.
type BatchHeader struct {
	Attributes      int16
	LastOffsetDelta int32 // records - 1
	BaseTimestamp   int64 // what the timestamp deltas are relative to
	MaxTimestamp    int64
	ProducerID      int64 // -1 if neither idempotent nor transactional, as the next two
	ProducerEpoch   int16
	BaseSequence    int32
	RecordCount     int32
}

// PutBatchHeader writes the header into the first 61 bytes of dst, with a zero
// CRC. recordBytes is the size of all records.
func PutBatchHeader(dst []byte, h *BatchHeader, recordBytes int) {
	dst = dst[:BatchHeaderSize]
	be := binary.BigEndian
	be.PutUint64(dst[atBaseOffset:], 0)
	be.PutUint32(dst[atLength:], uint32(lengthBase+recordBytes))
	be.PutUint32(dst[atLeaderEpoch:], ^uint32(0)) // -1
	dst[atMagic] = magicV2
	be.PutUint32(dst[atCRC:], 0)
	be.PutUint16(dst[atAttributes:], uint16(h.Attributes))
	be.PutUint32(dst[atLastOffsetDelta:], uint32(h.LastOffsetDelta))
	be.PutUint64(dst[atBaseTimestamp:], uint64(h.BaseTimestamp))
	be.PutUint64(dst[atMaxTimestamp:], uint64(h.MaxTimestamp))
	PutProducer(dst, h.ProducerID, h.ProducerEpoch, h.BaseSequence)
	be.PutUint32(dst[atRecordCount:], uint32(h.RecordCount))
}

// PutProducer rewrites who sends the batch, and where it stands in the
// sequence of the partition. A retry after an epoch bump needs that, and the
// CRC has to be computed and written again after it.
func PutProducer(dst []byte, id int64, epoch int16, baseSequence int32) {
	dst = dst[:BatchHeaderSize]
	binary.BigEndian.PutUint64(dst[atProducerID:], uint64(id))
	binary.BigEndian.PutUint16(dst[atProducerEpoch:], uint16(epoch))
	binary.BigEndian.PutUint32(dst[atBaseSequence:], uint32(baseSequence))
}

// ReadBatchHeader reads what PutBatchHeader wrote. recordBytes is the size of
// the records by the length field; it is not negative, but p may well be
// shorter. The CRC is not checked.
func ReadBatchHeader(p []byte) (h BatchHeader, recordBytes int, err error) {
	if len(p) < BatchHeaderSize {
		return h, 0, fmt.Errorf("%w: batch header of %d bytes, want %d", ErrMalformed, len(p), BatchHeaderSize)
	}
	be := binary.BigEndian
	if m := p[atMagic]; m != magicV2 {
		return h, 0, fmt.Errorf("%w: batch of magic %d, want %d", ErrMalformed, m, magicV2)
	}
	length := int32(be.Uint32(p[atLength:]))
	if length < lengthBase {
		return h, 0, fmt.Errorf("%w: batch length %d, want at least %d", ErrMalformed, length, lengthBase)
	}
	h = BatchHeader{
		Attributes:      int16(be.Uint16(p[atAttributes:])),
		LastOffsetDelta: int32(be.Uint32(p[atLastOffsetDelta:])),
		BaseTimestamp:   int64(be.Uint64(p[atBaseTimestamp:])),
		MaxTimestamp:    int64(be.Uint64(p[atMaxTimestamp:])),
		ProducerID:      int64(be.Uint64(p[atProducerID:])),
		ProducerEpoch:   int16(be.Uint16(p[atProducerEpoch:])),
		BaseSequence:    int32(be.Uint32(p[atBaseSequence:])),
		RecordCount:     int32(be.Uint32(p[atRecordCount:])),
	}
	return h, int(length) - lengthBase, nil
}

// UpdateCRC adds p to a running CRC-32C that began with 0.
func UpdateCRC(crc uint32, p []byte) uint32 {
	// MakeTable does not make this one: it returns the package's own table,
	// which is what selects the processor's CRC instruction.
	return crc32.Update(crc, crc32.MakeTable(crc32.Castagnoli), p)
}

// BatchCRC computes the CRC of a batch. first holds the batch header and
// whatever follows it in the same buffer; rest are the buffers with the
// remaining records, if there are any. The CRC covers everything from the
// attributes on.
func BatchCRC(first []byte, rest ...[]byte) uint32 {
	crc := UpdateCRC(0, first[atAttributes:])
	for _, p := range rest {
		crc = UpdateCRC(crc, p)
	}
	return crc
}

// PutCRC writes the CRC into the batch header that begins dst.
func PutCRC(dst []byte, crc uint32) {
	binary.BigEndian.PutUint32(dst[atCRC:], crc)
}

// ReadCRC returns the CRC that the batch header in p names.
func ReadCRC(p []byte) uint32 {
	return binary.BigEndian.Uint32(p[atCRC:])
}
