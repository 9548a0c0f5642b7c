package ledger

import "fmt"

// Header is one record header. A nil Value is null, which Kafka tells apart
// from an empty one; the key of a header can not be null.
type Header struct {
	Key   string
	Value []byte
}

// Record is what a Source generates. Its slices are valid until the next call
// of the same Source, so a Sender that keeps them longer copies them.
type Record struct {
	Partition int32  // -1: the producer's partitioner decides
	Key       []byte // nil: null
	Value     []byte // nil: null
	Headers   []Header
	Timestamp int64 // milliseconds; 0: the producer takes the time
}

// SizeClass is one row of a size distribution: values of Min to Max bytes,
// Weight times in the sum of all weights. Min -1 is the null value.
type SizeClass struct {
	Weight   int
	Min, Max int
}

// Plan says which records a run consists of. It is a pure function: Source
// yields the same records for the same plan.
type Plan struct {
	Run        uint64 // names the run, and seeds everything
	Topic      string
	Partitions int32
	Goroutines int
	Records    int // of all goroutines together
	Sizes      []SizeClass

	// Explicit and Keyed are percentages: records that name their partition,
	// and records whose key decides it. The rest has no key, and the
	// producer's partitioner chooses.
	Explicit, Keyed int

	// KeyPartition is a foreign opinion about the partition of a key, which
	// the checker then holds the producer to. Nil: not checked.
	KeyPartition func(key []byte, partitions int32) int32

	// Bare leaves out headers, explicit timestamps and keys that no
	// partitioner needs: the plain load of a latency measurement.
	Bare bool

	// Text fills values with words in place of random bytes, so that they
	// compress to about a third.
	Text bool

	// BaseTime is where explicit timestamps lie: up to an hour before it. Zero
	// means that every record takes the producer's clock.
	BaseTime int64 // milliseconds
}

// MixedSizes is 0 B to 900 KB with a mean near 700 bytes: 5 million records are
// 3.5 GB.
func MixedSizes() []SizeClass {
	return []SizeClass{
		{Weight: 150, Min: -1, Max: -1},
		{Weight: 150, Min: 0, Max: 0},
		{Weight: 1200, Min: 1, Max: StampSize - 1},
		{Weight: 5600, Min: StampSize, Max: 200},
		{Weight: 2412, Min: 201, Max: 1000},
		{Weight: 450, Min: 1001, Max: 8000},
		{Weight: 35, Min: 8001, Max: 64 << 10},
		{Weight: 3, Min: 64<<10 + 1, Max: 900 << 10},
	}
}

// FixedSize is a distribution of one size.
func FixedSize(n int) []SizeClass { return []SizeClass{{Weight: 1, Min: n, Max: n}} }

// Validate says what is wrong with the plan.
func (p *Plan) Validate() error {
	switch {
	case p.Topic == "":
		return fmt.Errorf("ledger: a plan needs a topic")
	case p.Partitions < 1 || p.Goroutines < 1 || p.Records < 1:
		return fmt.Errorf("ledger: %d partitions, %d goroutines, %d records: each must be positive",
			p.Partitions, p.Goroutines, p.Records)
	case p.Explicit < 0 || p.Keyed < 0 || p.Explicit+p.Keyed > 100:
		return fmt.Errorf("ledger: %d%% explicit and %d%% keyed do not fit in 100%%", p.Explicit, p.Keyed)
	case p.weights() < 1:
		return fmt.Errorf("ledger: a plan needs sizes")
	}
	return nil
}

func (p *Plan) weights() int {
	sum := 0
	for _, c := range p.Sizes {
		sum += c.Weight
	}
	return sum
}

// Of returns how many records goroutine g produces.
func (p *Plan) Of(g int) int {
	n := p.Records / p.Goroutines
	if g < p.Records%p.Goroutines {
		n++
	}
	return n
}

// ID names a record of a run: the tag that goes through the producer.
type ID uint64

func makeID(g, n int) ID { return ID(uint64(g)<<32 | uint64(uint32(n))) }

// Goroutine is the producing goroutine.
func (id ID) Goroutine() int { return int(id >> 32) }

// Number counts the records of that goroutine from 0.
func (id ID) Number() int { return int(uint32(id)) }

func (id ID) String() string { return fmt.Sprintf("g%d/%d", id.Goroutine(), id.Number()) }
