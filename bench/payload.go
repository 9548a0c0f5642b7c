package bench

import (
	"bytes"
	"encoding/binary"
)

// StampSize is what a value needs so that --verify full can recognise it:
//
//	0 run id  8 | 8 tag  8 | 16 value size  4 | 20 check  4 | body ...
//
// check covers the stamp, and the body is a function of the seed and the tag,
// so the reader compares it byte for byte and the writer computes nothing. Values
// of a PayloadFile have no stamp (see valueCheck).
const StampSize = 24

// putStamp writes the stamp of the record tag over the head of value.
func putStamp(value []byte, run, tag uint64) {
	_ = value[StampSize-1]
	binary.BigEndian.PutUint64(value, run)
	binary.BigEndian.PutUint64(value[8:], tag)
	binary.BigEndian.PutUint32(value[16:], uint32(len(value)))
	binary.BigEndian.PutUint32(value[20:], stampCheck(run, tag, len(value)))
}

func stampCheck(run, tag uint64, size int) uint32 {
	return uint32(mix64(run ^ tag*0x9e3779b97f4a7c15 ^ uint64(size)))
}

// stampOf reads a stamp. ours is false for values of another run or of no run
// at all; whole is false where a value of this run was altered.
func stampOf(value []byte, run uint64) (tag uint64, ours, whole bool) {
	if len(value) < StampSize || binary.BigEndian.Uint64(value) != run {
		return 0, false, false
	}
	tag = binary.BigEndian.Uint64(value[8:])
	size := binary.BigEndian.Uint32(value[16:])
	whole = int64(size) == int64(len(value)) &&
		binary.BigEndian.Uint32(value[20:]) == stampCheck(run, tag, len(value))
	return tag, true, whole
}

// pool is the bodies of a workload, made before the first record. Body k is
// used by the records whose sequence is k modulo their number.
type pool struct {
	bodies [][]byte
	fixed  int // bytes of text that every record has alike
}

const (
	poolBodies = 64
	// poolBytes bounds the pool for large values: fewer bodies then.
	poolBytes = 16 << 20
)

// payload is what the values of a run consist of: bodies, or the values of a
// file.
type payload struct {
	*pool
	values *fileValues
}

// newPayload makes or reads it.
func newPayload(c *VerifyPlan) (*payload, error) {
	if c.PayloadFile == nil {
		return &payload{pool: newBodies(c.Payload, c.Seed, c.Sizes, c.Compressibility)}, nil
	}
	values, err := c.PayloadFile.open()
	return &payload{pool: &pool{}, values: values}, err
}

// slots is how many buffers a sender needs whose client keeps nothing.
func (p *payload) slots() int { return max(len(p.bodies), 1) }

// newBodies makes the pool of a kind of payload.
func newBodies(kind string, seed uint64, sizes Sizes, compressibility float64) *pool {
	if kind == PayloadText {
		return newTextPool(seed, sizes)
	}
	return newPool(seed, sizes, compressibility)
}

// bodyCount is how many bodies a pool has: a power of two.
func bodyCount(kind string, sizes Sizes) int {
	count := poolBodies
	if kind == PayloadText {
		count = textBodies
	}
	for count > 1 && count*sizes.Max() > poolBytes {
		count /= 2
	}
	return count
}

// newEmptyPool is a pool of zeros.
func newEmptyPool(kind string, sizes Sizes) *pool {
	size, count := sizes.Max(), bodyCount(kind, sizes)
	arena := make([]byte, count*size)
	p := &pool{bodies: make([][]byte, count)}
	for k := range p.bodies {
		p.bodies[k] = arena[k*size : (k+1)*size : (k+1)*size]
	}
	return p
}

// newPool fills bodies of the largest size. compressibility 0 is random bytes,
// 1 is one repeated byte; between them, that share of each body's bytes is
// repeated.
func newPool(seed uint64, sizes Sizes, compressibility float64) *pool {
	r := newRNG(seed, 0x706f6f6c)
	p := newEmptyPool(PayloadRandom, sizes)
	for _, body := range p.bodies {
		fillBody(body, r, compressibility)
	}
	return p
}

// fillBody alternates random and repeated stretches of 64 bytes together.
func fillBody(body []byte, r *rng, compressibility float64) {
	const stretch = 64
	repeated := int(compressibility * stretch)
	for i := range body {
		if i%stretch < repeated {
			body[i] = 'k'
		} else {
			body[i] = byte(r.next())
		}
	}
}

// matches compares the body of a read-back value, behind its stamp.
func (p *pool) matches(seq uint64, value []byte) bool {
	body := p.bodies[seq&uint64(len(p.bodies)-1)]
	return len(value) <= len(body) && bytes.Equal(value[StampSize:], body[StampSize:len(value)])
}

// ratio is the share of bytes that are repeated, as achieved; of text, those
// that are the same in every record.
func (p *pool) ratio() float64 {
	plain, all := p.fixed, 0
	for _, b := range p.bodies {
		all += len(b)
		if p.fixed == 0 {
			plain += bytes.Count(b, []byte{'k'})
		}
	}
	if all == 0 {
		return 0
	}
	return float64(plain) / float64(all)
}
