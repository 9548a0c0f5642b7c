package broker

import "encoding/binary"

// batchHeaderSize is the fixed part of a record batch:
//
//	 0 base offset   8      23 last offset delta  4      43 producer id    8
//	 8 batch length  4      27 base timestamp     8      51 producer epoch 2
//	12 leader epoch  4      35 max timestamp      8      53 base sequence  4
//	16 magic         1                                   57 record count   4
//	17 crc           4                                   61 records
//	21 attributes    2
//
// The CRC covers everything from the attributes on, so the broker may write the
// base offset and the leader epoch without touching it.
const batchHeaderSize = 61

// minRecordSize is a record with null key, null value and no header: seven
// varints and bytes of one byte each.
const minRecordSize = 7

const (
	attrCodec         = 0x07
	attrTransactional = 0x10
	attrControl       = 0x20
)

// batchHeader is what the broker needs of the fixed part.
type batchHeader struct {
	attributes    int16
	producerEpoch int16
	count         int32
	baseSequence  int32
	producerID    int64
	baseTimestamp int64
	maxTimestamp  int64
}

// check reads the header of the batch that fills records exactly and returns
// the error code that Kafka answers where it is wrong.
func (h *batchHeader) check(records []byte, maxBytes int) int16 {
	if len(records) == 0 {
		return errInvalidRecord
	}
	if len(records) < batchHeaderSize {
		return errCorruptMessage
	}
	h.read(records)
	b := records[:batchHeaderSize]
	baseOffset := int64(binary.BigEndian.Uint64(b[0:]))
	length := int64(int32(binary.BigEndian.Uint32(b[8:])))
	lastOffsetDelta := int32(binary.BigEndian.Uint32(b[23:]))

	switch {
	case b[16] != 2:
		return errInvalidRecord
	case length < batchHeaderSize-12 || length > int64(len(records)-12):
		return errCorruptMessage
	case length < int64(len(records)-12): // a second batch, or rubbish
		return errInvalidRecord
	case len(records) > maxBytes:
		return errMessageTooLarge
	case baseOffset != 0, h.count <= 0, lastOffsetDelta != h.count-1:
		return errInvalidRecord
	case h.attributes&attrControl != 0, h.attributes&attrCodec > 4:
		return errInvalidRecord
	case h.attributes&attrTransactional != 0:
		return errInvalidTxnState
	case h.codec() == 0 && int64(h.count)*minRecordSize > length-(batchHeaderSize-12):
		return errInvalidRecord
	case h.idempotent() && (h.baseSequence < 0 || h.producerEpoch < 0):
		return errInvalidRecord
	}
	return errNone
}

// read takes the fields out of a batch of at least batchHeaderSize bytes.
func (h *batchHeader) read(batch []byte) {
	b := batch[:batchHeaderSize]
	h.attributes = int16(binary.BigEndian.Uint16(b[21:]))
	h.baseTimestamp = int64(binary.BigEndian.Uint64(b[27:]))
	h.maxTimestamp = int64(binary.BigEndian.Uint64(b[35:]))
	h.producerID = int64(binary.BigEndian.Uint64(b[43:]))
	h.producerEpoch = int16(binary.BigEndian.Uint16(b[51:]))
	h.baseSequence = int32(binary.BigEndian.Uint32(b[53:]))
	h.count = int32(binary.BigEndian.Uint32(b[57:]))
}

func (h *batchHeader) codec() int8      { return int8(h.attributes & attrCodec) }
func (h *batchHeader) idempotent() bool { return h.producerID >= 0 }

// lastSequence is the sequence of the last record, 0 following 2^31-1.
func (h *batchHeader) lastSequence() int32 {
	return int32((int64(h.baseSequence) + int64(h.count) - 1) & (1<<31 - 1))
}
