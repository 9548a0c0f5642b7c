package broker

import "encoding/binary"

// cursor reads Kafka's primitive types from the front of p. The first read that
// does not fit sets bad and empties p, so that a parser may check once at the
// end; nothing it returns is longer than what was there.
type cursor struct {
	p   []byte
	bad bool
}

func (c *cursor) fail() {
	c.p, c.bad = nil, true
}

// take returns the next n bytes, as a slice of the input.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.p) {
		c.fail()
		return nil
	}
	b := c.p[:n:n]
	c.p = c.p[n:]
	return b
}

func (c *cursor) int8() int8 {
	if b := c.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (c *cursor) int16() int16 {
	if b := c.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) int32() int32 {
	if b := c.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (c *cursor) int64() int64 {
	if b := c.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// uvarint reads the length type of the flexible versions, 32 bits at most.
func (c *cursor) uvarint() uint32 {
	v, n := binary.Uvarint(c.p)
	if n <= 0 || v > 1<<32-1 {
		c.fail()
		return 0
	}
	c.p = c.p[n:]
	return uint32(v)
}

// varint reads the zigzag type of the records.
func (c *cursor) varint() int64 {
	v, n := binary.Varint(c.p)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.p = c.p[n:]
	return v
}

// varintBytes reads bytes with a zigzag length; -1 is nil.
func (c *cursor) varintBytes() []byte {
	n := c.varint()
	if n == -1 || c.bad {
		return nil
	}
	if n < 0 || n > int64(len(c.p)) {
		c.fail()
		return nil
	}
	return c.take(int(n))
}

// nullable reads bytes behind a length of its own type: a compact one is a
// uvarint of length+1 (0 is nil), a plain one an int32 (-1 is nil).
func (c *cursor) nullable(flexible bool) []byte {
	if flexible {
		n := c.uvarint()
		if n == 0 {
			return nil
		}
		return c.take(int(n - 1))
	}
	n := c.int32()
	if n == -1 {
		return nil
	}
	return c.take(int(n))
}

// nullableString is nullable for strings, whose plain length is an int16.
func (c *cursor) nullableString(flexible bool) []byte {
	if flexible {
		return c.nullable(true)
	}
	n := c.int16()
	if n == -1 {
		return nil
	}
	return c.take(int(n))
}

// arrayLen reads the number of elements; null counts as none.
func (c *cursor) arrayLen(flexible bool) int {
	_, n := c.nullableArrayLen(flexible)
	return n
}

// nullableArrayLen tells null from none. Every element has at least a byte, so
// a larger count than bytes are left is refused.
func (c *cursor) nullableArrayLen(flexible bool) (null bool, n int) {
	if flexible {
		n = int(c.uvarint()) - 1
	} else {
		n = int(c.int32())
	}
	if n > len(c.p) || n < -1 {
		c.fail()
	}
	if c.bad {
		return true, 0
	}
	return n == -1, max(n, 0)
}

// tags skips the tagged fields at the end of a flexible structure.
func (c *cursor) tags(flexible bool) {
	if !flexible {
		return
	}
	for n := c.uvarint(); n > 0 && !c.bad; n-- {
		c.uvarint()
		c.take(int(c.uvarint()))
	}
}
