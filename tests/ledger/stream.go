package ledger

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// entrySize is the length of an entry on a stream, all little endian:
//
//	 0          4        8       16         24       28        32
//	+----------+--------+-------+----------+--------+---------+
//	| partition| headers| offset| timestamp| keysize| valsize |
//	+----------+--------+-------+----------+--------+---------+
//	 32        40         48            56                     96
//	+---------+----------+-------------+----------------------+
//	| key hash| val hash | header hash | prefix of the value  |
//	+---------+----------+-------------+----------------------+
//
// The last entry has partition -1 and the number of entries as its offset, so
// that a stream that was cut off is not taken for a short log.
const entrySize = 56 + StampSize

// ReadStream calls add for every entry of a reader process's output. The entry
// is reused.
func ReadStream(r io.Reader, add func(*Entry)) (int, error) {
	in := bufio.NewReaderSize(r, 1<<20)
	var (
		b [entrySize]byte
		e Entry
	)
	for n := 0; ; n++ {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = fmt.Errorf("ledger: the stream ended after %d entries without its end mark", n)
			}
			return n, err
		}
		e.decode(&b)
		if e.Partition == -1 {
			if e.Offset != int64(n) {
				return n, fmt.Errorf("ledger: %d entries arrived, the reader wrote %d", n, e.Offset)
			}
			return n, nil
		}
		add(&e)
	}
}

func (e *Entry) decode(b *[entrySize]byte) {
	e.Partition = int32(binary.LittleEndian.Uint32(b[0:]))
	e.Headers = int32(binary.LittleEndian.Uint32(b[4:]))
	e.Offset = int64(binary.LittleEndian.Uint64(b[8:]))
	e.Timestamp = int64(binary.LittleEndian.Uint64(b[16:]))
	e.KeySize = int32(binary.LittleEndian.Uint32(b[24:]))
	e.ValueSize = int32(binary.LittleEndian.Uint32(b[28:]))
	e.KeyHash = binary.LittleEndian.Uint64(b[32:])
	e.ValueHash = binary.LittleEndian.Uint64(b[40:])
	e.HeadersHash = binary.LittleEndian.Uint64(b[48:])
	copy(e.Prefix[:], b[56:])
}
