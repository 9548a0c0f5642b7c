package wire

import (
	"encoding/binary"
	"errors"
)

// ErrMalformed says that bytes are not what they should be. All errors of this
// package wrap it.
var ErrMalformed = errors.New("wire: malformed")

// reader takes the parts of a response from a frame. After the first part that
// does not fit, it is empty, has failed set to the name of that part, and
// returns zeros; so its users check once at the end, and, because a loop must
// not run on, wherever a count has been read. It never reads past its bytes and
// never allocates.
type reader struct {
	p        []byte
	flexible bool
	failed   string
}

func (r *reader) fail(what string) {
	if r.failed == "" {
		r.failed = what
	}
	r.p = nil
}

// take returns the next n bytes.
func (r *reader) take(n int, what string) []byte {
	if n < 0 || n > len(r.p) {
		r.fail(what)
		return nil
	}
	b := r.p[:n:n]
	r.p = r.p[n:]
	return b
}

func (r *reader) int16(what string) int16 {
	if b := r.take(2, what); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32(what string) int32 {
	if b := r.take(4, what); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64(what string) int64 {
	if b := r.take(8, what); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) uvarint(what string) uint32 {
	x, n := uvarint32(r.p)
	if n == 0 {
		r.fail(what)
		return 0
	}
	r.p = r.p[n:]
	return x
}

// count reads the length of an array that can not be null and whose elements
// take minSize bytes at least. A count that the rest of the frame can not hold
// is an error before anything is allocated for it.
func (r *reader) count(minSize int, what string) int {
	var n int64
	if r.flexible {
		n = int64(r.uvarint(what)) - 1
	} else {
		n = int64(r.int32(what))
	}
	if r.failed != "" {
		return 0
	}
	if n < 0 || n > int64(len(r.p)/minSize) {
		r.fail(what)
		return 0
	}
	return int(n)
}

// stringLength reads the length of a string, which is -1 for null.
func (r *reader) stringLength(what string) int64 {
	if r.flexible {
		return int64(r.uvarint(what)) - 1
	}
	return int64(r.int16(what))
}

// string returns a string that can not be null.
func (r *reader) string(what string) []byte {
	n := r.stringLength(what)
	if n < 0 || n > int64(len(r.p)) {
		r.fail(what)
		return nil
	}
	return r.take(int(n), what)
}

// nullableString returns nil for null. An empty string is not nil.
func (r *reader) nullableString(what string) []byte {
	n := r.stringLength(what)
	if n == -1 && r.failed == "" {
		return nil
	}
	if n < 0 || n > int64(len(r.p)) {
		r.fail(what)
		return nil
	}
	return r.take(int(n), what)
}

// tags are the tagged fields that end a structure of a flexible version.
type tags struct {
	left int
	next uint64 // the smallest tag that may come
}

// tags begins to read tagged fields. There are none before the flexible
// versions.
func (r *reader) tags() tags {
	if !r.flexible {
		return tags{}
	}
	n := r.uvarint("tagged fields")
	// A tagged field takes two bytes at least.
	if int64(n) > int64(len(r.p)/2) {
		r.fail("number of tagged fields")
		return tags{}
	}
	return tags{left: int(n)}
}

// nextTag returns the next tagged field. Kafka demands ascending tags, each at
// most once; a field that came twice would have to be merged or overwritten,
// so that is an error.
func (r *reader) nextTag(t *tags) (tag uint32, field reader, ok bool) {
	if t.left == 0 || r.failed != "" {
		return 0, reader{}, false
	}
	t.left--
	tag = r.uvarint("tag")
	size := r.uvarint("size of a tagged field")
	if r.failed == "" && uint64(tag) < t.next {
		r.fail("order of tagged fields")
	}
	field = reader{p: r.take(int(size), "tagged field"), flexible: true}
	t.next = uint64(tag) + 1
	return tag, field, r.failed == ""
}

// skipTags reads tagged fields that are of no interest.
func (r *reader) skipTags() {
	t := r.tags()
	for {
		if _, _, ok := r.nextTag(&t); !ok {
			return
		}
	}
}

// end fails unless everything has been read.
func (r *reader) end(what string) {
	if r.failed == "" && len(r.p) != 0 {
		r.fail(what)
	}
}
