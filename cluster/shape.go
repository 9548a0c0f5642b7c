package cluster

import (
	"encoding/binary"
	"errors"
)

// errLayout reports a message whose counts or lengths do not fit its bytes.
var errLayout = errors.New("a length or count does not fit the message")

// fieldKind is how a field lies in a message.
type fieldKind uint8

const (
	fixedField fieldKind = iota // size bytes
	stringField
	nullableStringField
	bytesField // not nullable, but null is let pass: some services send it
	arrayField // of elem
)

// field is one field of a message, from version since to version until.
type field struct {
	kind         fieldKind
	size         int
	since, until int16
	elem         []field
}

const everAfter = 1 << 14 // an until beyond all versions

func fixed(size int) field      { return field{kind: fixedField, size: size, until: everAfter} }
func text() field               { return field{kind: stringField, until: everAfter} }
func nullableText() field       { return field{kind: nullableStringField, until: everAfter} }
func blob() field               { return field{kind: bytesField, until: everAfter} }
func array(elem ...field) field { return field{kind: arrayField, elem: elem, until: everAfter} }

func (f field) from(version int16) field { f.since = version; return f }
func (f field) upTo(version int16) field { f.until = version; return f }
func (f *field) in(version int16) bool   { return f.since <= version && version <= f.until }

// shape is the layout of one response in all its versions.
type shape struct {
	flexibleFrom int16
	fields       []field
	// tagged are the layouts of the tagged fields at the end of the message
	// that kmsg looks into; it skips all others, and so does the walk.
	tagged map[uint32][]field
}

// walk checks that the message in body has this shape: that every string, array
// and tagged field it claims is there. It allocates nothing.
func (s *shape) walk(version int16, body []byte) error {
	w := walker{rest: body, version: version, flexible: version >= s.flexibleFrom}
	w.fields(s.fields)
	if w.flexible {
		w.tags(s.tagged)
	}
	if w.bad {
		return errLayout
	}
	return nil
}

// walker steps over a message. After the first fault it is bad, nothing is left
// of the message, and every further step is a step in place.
type walker struct {
	rest     []byte
	version  int16
	flexible bool
	bad      bool
}

func (w *walker) fail() {
	w.bad = true
	w.rest = nil
}

func (w *walker) fields(fields []field) {
	for i := range fields {
		f := &fields[i]
		if w.bad || !f.in(w.version) {
			continue
		}
		switch f.kind {
		case fixedField:
			w.skip(int64(f.size))
		case stringField, nullableStringField:
			w.text(f.kind == nullableStringField)
		case bytesField:
			w.blob()
		case arrayField:
			w.array(f.elem)
		}
	}
}

func (w *walker) skip(n int64) {
	if n < 0 || n > int64(len(w.rest)) {
		w.fail()
		return
	}
	w.rest = w.rest[n:]
}

func (w *walker) text(nullable bool) {
	var size int64
	if w.flexible {
		size = int64(w.uvarint()) - 1
	} else {
		size = int64(w.int16())
	}
	if size == -1 && nullable {
		return
	}
	w.skip(size)
}

func (w *walker) blob() {
	var size int64
	if w.flexible {
		size = int64(w.uvarint()) - 1
	} else {
		size = int64(w.int32())
	}
	if size != -1 {
		w.skip(size)
	}
}

// array steps over the elements one by one, before kmsg allocates all of them
// at once. It ends soon after the bytes do, since no element is empty.
func (w *walker) array(elem []field) {
	var count int64
	if w.flexible {
		count = int64(w.uvarint()) - 1
	} else {
		count = int64(w.int32())
	}
	if count < 0 {
		w.fail()
		return
	}
	for ; count > 0 && !w.bad; count-- {
		w.fields(elem)
		if w.flexible && !isScalar(elem) {
			w.tags(nil)
		}
	}
}

// isScalar reports an array whose elements are plain numbers or strings; those
// of structs end with tagged fields.
func isScalar(elem []field) bool { return len(elem) == 1 && elem[0].kind != arrayField }

// tags steps over tagged fields, and into those that known describes.
func (w *walker) tags(known map[uint32][]field) {
	for count := w.uvarint(); count > 0 && !w.bad; count-- {
		tag, size := w.uvarint(), int64(w.uvarint())
		value := w.rest
		w.skip(size)
		if fields, ok := known[tag]; ok && !w.bad {
			inner := walker{rest: value[:size], version: w.version, flexible: w.flexible}
			inner.fields(fields)
			w.bad = inner.bad
		}
	}
}

func (w *walker) int16() int16 {
	if len(w.rest) < 2 {
		w.fail()
		return -1
	}
	n := int16(binary.BigEndian.Uint16(w.rest))
	w.rest = w.rest[2:]
	return n
}

func (w *walker) int32() int32 {
	if len(w.rest) < 4 {
		w.fail()
		return -1
	}
	n := int32(binary.BigEndian.Uint32(w.rest))
	w.rest = w.rest[4:]
	return n
}

func (w *walker) uvarint() uint32 {
	var n uint32
	for i := range 5 { // 32 bits are five groups of seven at most.
		if i >= len(w.rest) {
			break
		}
		b := w.rest[i]
		if i == 4 && b > 0x0f {
			break
		}
		n |= uint32(b&0x7f) << (7 * i)
		if b < 0x80 {
			w.rest = w.rest[i+1:]
			return n
		}
	}
	w.fail()
	return 0
}
