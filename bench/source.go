package bench

// source makes one sender's records. Everything it hands out was allocated
// before the run.
type source struct {
	sender  int // among those of all shards
	shift   tag // from this shard's tags to the run's
	run     uint64
	topic   string
	sizes   Sizes
	fixed   bool // every value has the size of its slot
	keys    *keyTable
	rng     *rng
	stamped bool
	roundRR int32 // partitions, when the harness deals them round; else 0
	offset  uint64

	values *fileValues // in place of slots; nil for a generated payload
	seed   uint64

	slots    [][]byte // value buffers, a power of two of them
	keySlots []byte   // one key per slot
	rec      Record
}

const (
	// retainBytes bounds what a retaining client's outstanding values may take,
	// all senders together.
	retainBytes    = 64 << 20
	maxRetainSlots = 1 << 16
)

// retainSlots is how many records of one sender may be outstanding in a client
// that keeps their memory; 0 for clients that do not. It is a power of two and
// a multiple of the pool's bodies.
func retainSlots(c *Config, retaining bool) int {
	// Values change only where they are stamped, and keys only where they are
	// counted up. Otherwise anybody may keep them.
	stamped := c.Verify == VerifyFull && c.PayloadFile == nil
	if !retaining || !stamped && c.Keys.kind != keysSeq {
		return 0
	}
	if c.PayloadFile != nil {
		return maxRetainSlots // of keys only
	}
	slots := maxRetainSlots
	for slots > max(poolBodies, bodyCount(c.Payload, c.Sizes)) && slots*max(c.Sizes.Max(), 64)*c.Senders > retainBytes {
		slots /= 2
	}
	return slots
}

// newSource copies the pool for one sender: stamps are written over the heads
// of the values. slots is 0 for a client that is done with a value when Produce
// returns; then one buffer per body is enough.
func newSource(c *Config, p *payload, keys *keyTable, sender, slots int) *source {
	s := &source{
		sender: c.Shard.first(c.Senders) + sender, shift: c.Shard.shift(c.Senders), run: uint64(c.RunID), topic: c.Settings.Topic,
		sizes: c.Sizes, fixed: c.Sizes.Min() == c.Sizes.Max(),
		keys: keys, rng: newRNG(c.Seed, uint64(c.Shard.first(c.Senders)+sender)), stamped: c.Verify == VerifyFull && p.values == nil,
		values: p.values, seed: c.Seed,
	}
	if c.Partitioner == PartitionerRoundRobin {
		// Senders start apart, so that they do not march in step.
		s.roundRR, s.offset = int32(c.Partitions), uint64(sender*c.Partitions/c.Senders)
	}
	if slots == 0 {
		slots = p.slots()
	}
	s.slots = make([][]byte, slots)
	if p.values == nil {
		s.fill(p.pool, c.Sizes.Max())
	}
	s.keySlots = make([]byte, slots*keySize)
	s.rec = Record{Topic: s.topic, Partition: -1}
	return s
}

// fill copies bodies into the slots, over which stamps may be written.
func (s *source) fill(p *pool, size int) {
	arena := make([]byte, len(s.slots)*size)
	for i := range s.slots {
		s.slots[i] = arena[i*size : (i+1)*size : (i+1)*size]
		copy(s.slots[i], p.bodies[i%len(p.bodies)])
	}
}

// slot is where the record's value lives.
func (s *source) slot(seq uint64) int { return int(seq & uint64(len(s.slots)-1)) }

// make fills in the next record. The result is valid until the next call.
func (s *source) make(seq uint64, t tag) *Record {
	i := s.slot(seq)
	value := s.slots[i]
	switch {
	case s.values != nil:
		value = s.values.value(s.values.pick(s.seed, t.plain()+s.shift))
	case !s.fixed:
		value = value[:s.sizes.Draw(s.rng)]
	}
	if s.stamped && len(value) >= StampSize {
		putStamp(value, s.run, uint64(t.plain()+s.shift))
	}
	s.rec.Value, s.rec.Tag = value, uint64(t)
	if s.keys.kind != keysNone {
		// Senders take disjoint numbers: the sequence is the high part.
		number := seq<<12 | uint64(s.sender)
		s.rec.Key = s.keys.pick(s.rng, number, s.keySlots[i*keySize:(i+1)*keySize:(i+1)*keySize])
	}
	if s.roundRR > 0 {
		s.rec.Partition = int32((seq + s.offset) % uint64(s.roundRR))
	}
	return &s.rec
}
