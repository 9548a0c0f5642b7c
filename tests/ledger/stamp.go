package ledger

import (
	"encoding/binary"
	"hash/crc32"
)

// StampSize is the length of the stamp at the beginning of a large enough
// value, all little endian:
//
//	 0        8          12          16    20         24       28           36
//	+--------+----------+-----------+-----+----------+--------+------------+--------+
//	| run    | goroutine| partition | seq | topic    | number | reserved   | crc32c |
//	| uint64 | uint32   | int32     | u32 | hash u32 | u32    | zero       | u32    |
//	+--------+----------+-----------+-----+----------+--------+------------+--------+
//
// partition is the intended one, -1 if the partitioner decides. number counts
// the records of the goroutine, seq those of the goroutine for that intended
// partition. The checksum covers the 36 bytes before it: it only decides
// whether this is a stamp at all, the digest of the book covers the rest.
const StampSize = 40

// Stamp is a decoded stamp.
type Stamp struct {
	Run       uint64
	Goroutine uint32
	Partition int32
	Seq       uint32
	Topic     uint32
	Number    uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (s Stamp) put(dst []byte) {
	binary.LittleEndian.PutUint64(dst[0:], s.Run)
	binary.LittleEndian.PutUint32(dst[8:], s.Goroutine)
	binary.LittleEndian.PutUint32(dst[12:], uint32(s.Partition))
	binary.LittleEndian.PutUint32(dst[16:], s.Seq)
	binary.LittleEndian.PutUint32(dst[20:], s.Topic)
	binary.LittleEndian.PutUint32(dst[24:], s.Number)
	binary.LittleEndian.PutUint64(dst[28:], 0)
	binary.LittleEndian.PutUint32(dst[36:], crc32.Checksum(dst[:36], castagnoli))
}

// ReadStamp decodes the first StampSize bytes of a value; false if they are not
// a stamp.
func ReadStamp(b []byte) (Stamp, bool) {
	if len(b) < StampSize || crc32.Checksum(b[:36], castagnoli) != binary.LittleEndian.Uint32(b[36:]) {
		return Stamp{}, false
	}
	return Stamp{
		Run:       binary.LittleEndian.Uint64(b[0:]),
		Goroutine: binary.LittleEndian.Uint32(b[8:]),
		Partition: int32(binary.LittleEndian.Uint32(b[12:])),
		Seq:       binary.LittleEndian.Uint32(b[16:]),
		Topic:     binary.LittleEndian.Uint32(b[20:]),
		Number:    binary.LittleEndian.Uint32(b[24:]),
	}, true
}
