package ledger

import (
	"strconv"
	"strings"
)

// poolSize is larger than the largest value plus the range of start offsets, so
// that a value is one copy out of the pool.
const (
	poolSize  = 1 << 20
	poolRange = 64 << 10
)

// Source generates the records of one goroutine, in order. Not safe for
// concurrent use.
type Source struct {
	plan    *Plan
	g       int
	next    int
	weights int
	topic   uint32
	seq     []uint32 // per intended partition; the last is the partitioner's
	pool    []byte   // random bytes; shared by the sources of one plan, never written
	value   []byte
	key     []byte
	headers []Header
}

// Sources makes the sources of all goroutines of the plan.
func (p *Plan) Sources() []*Source {
	pool := make([]byte, poolSize)
	rnd := random(p.Run)
	if p.Text {
		fillWords(pool, &rnd)
	} else {
		fillRandom(pool, &rnd)
	}
	sources := make([]*Source, p.Goroutines)
	for g := range sources {
		sources[g] = &Source{
			plan: p, g: g, weights: p.weights(), topic: uint32(hashString(p.Topic)),
			seq: make([]uint32, p.Partitions+1), pool: pool,
		}
	}
	return sources
}

func fillRandom(pool []byte, rnd *random) {
	for i := 0; i < len(pool); i += 8 {
		word := rnd.next()
		for j := range 8 {
			pool[i+j] = byte(word >> (8 * j))
		}
	}
}

// fillWords writes what looks like the JSON of a web shop, with a random number
// between two words.
func fillWords(pool []byte, rnd *random) {
	words := strings.Fields(`"event":"page_view", "path":"/products/ "user": "session": "referrer":"https://example.com/
"status":200, "ms": "region":"eu-central", "currency":"EUR", "amount": "items":[ ], } {`)
	for i := 0; i < len(pool); {
		i += copy(pool[i:], words[rnd.below(uint64(len(words)))])
		i += copy(pool[i:], strconv.FormatUint(rnd.below(10_000), 10))
	}
}

// Next generates the next record; false after the last one.
func (s *Source) Next(r *Record) (ID, bool) {
	if s.next >= s.plan.Of(s.g) {
		return 0, false
	}
	id := makeID(s.g, s.next)
	s.next++
	rnd := random(s.plan.Run ^ uint64(id)*hashPrime)
	s.address(r, &rnd)
	s.fillValue(r, &rnd, id)
	r.Headers, r.Timestamp = s.headers[:0], 0
	if !s.plan.Bare {
		s.fillHeaders(r, &rnd)
		s.fillTimestamp(r, &rnd)
	}
	return id, true
}

// address chooses key and partition.
func (s *Source) address(r *Record, rnd *random) {
	r.Partition, r.Key = -1, nil
	switch percent := int(rnd.below(100)); {
	case percent < s.plan.Explicit:
		r.Partition = int32(rnd.below(uint64(s.plan.Partitions)))
		if !s.plan.Bare && rnd.below(2) == 0 {
			s.fillKey(r, rnd)
		}
	case percent < s.plan.Explicit+s.plan.Keyed:
		s.fillKey(r, rnd)
	}
}

func (s *Source) fillKey(r *Record, rnd *random) {
	size := 0
	switch class := rnd.below(100); {
	case class < 5: // an empty key is a key
	case class < 99:
		size = 1 + int(rnd.below(32))
	default:
		size = 1 + int(rnd.below(2000))
	}
	s.key = append(s.key[:0], s.poolBytes(rnd, size)...)
	r.Key = nonNil(s.key)
}

func (s *Source) fillValue(r *Record, rnd *random, id ID) {
	size := s.size(rnd)
	if size < 0 {
		r.Value = nil
		return
	}
	s.value = append(s.value[:0], s.poolBytes(rnd, size)...)
	r.Value = nonNil(s.value)
	slot := len(s.seq) - 1
	if r.Partition >= 0 {
		slot = int(r.Partition)
	}
	seq := s.seq[slot]
	s.seq[slot]++
	if size >= StampSize {
		Stamp{
			Run: s.plan.Run, Goroutine: uint32(s.g), Partition: r.Partition,
			Seq: seq, Topic: s.topic, Number: uint32(id.Number()),
		}.put(r.Value)
	}
}

func (s *Source) size(rnd *random) int {
	at := int(rnd.below(uint64(s.weights)))
	for _, c := range s.plan.Sizes {
		if at -= c.Weight; at < 0 {
			if c.Min < 0 {
				return -1
			}
			return c.Min + int(rnd.below(uint64(c.Max-c.Min+1)))
		}
	}
	return 0
}

// headerName returns one of few names, so that records with several headers
// have duplicates; one name is empty and one is outside ASCII.
func headerName(i uint64) string {
	return [...]string{"trace", "trace", "content-type", "", "größe"}[i]
}

func (s *Source) fillHeaders(r *Record, rnd *random) {
	var count int
	switch class := rnd.below(10_000); {
	case class < 8000:
		return
	case class < 9800:
		count = 1 + int(rnd.below(3))
	case class < 9995:
		count = 10 + int(rnd.below(10))
	default:
		count = 100
	}
	for range count {
		h := Header{Key: headerName(rnd.below(5))}
		switch class := rnd.below(10); class {
		case 0: // null
		case 1:
			h.Value = []byte{}
		default:
			h.Value = s.poolBytes(rnd, 1+int(rnd.below(24)))
		}
		s.headers = append(s.headers[:len(r.Headers)], h)
		r.Headers = s.headers
	}
}

// fillTimestamp gives every fourth record a time of its own, so that deltas
// within a batch are negative as well.
func (s *Source) fillTimestamp(r *Record, rnd *random) {
	if s.plan.BaseTime != 0 && rnd.below(4) == 0 {
		r.Timestamp = s.plan.BaseTime - int64(rnd.below(3_600_000))
	}
}

func (s *Source) poolBytes(rnd *random, size int) []byte {
	at := int(rnd.below(poolRange))
	return s.pool[at : at+size : at+size]
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// random is splitmix64: a few instructions, and any seed is a good one.
type random uint64

func (r *random) next() uint64 {
	*r += hashSeed
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (r *random) below(n uint64) uint64 { return r.next() % n }
