package bench

import (
	"context"
	"errors"
	"sync"
	"time"
)

// fakeClient is a producer without a broker: it appends to a log in memory, and
// goes wrong exactly as its test wants.
type fakeClient struct {
	done       Done
	partitions int32

	// faults
	lose     func(t tag) bool          // acknowledged, not appended
	repeat   func(t tag) bool          // appended twice
	damage   func(t tag, value []byte) // alters what is appended
	misplace func(t tag) int64         // added to the acknowledged offset
	refuse   func(t tag) error         // Produce fails
	fail     func(t tag) error         // done fails, not appended
	double   func(t tag) bool          // done twice
	forget   func(t tag) bool          // never done
	block    func(ctx context.Context, t tag) error

	// async hands records to a goroutine, which acknowledges them; service is
	// called before each.
	async   bool
	service func(t tag)
	queue   chan fakeRecord
	flushed sync.WaitGroup
	ended   chan struct{}

	mu     sync.Mutex
	log    [][][]byte // by partition
	closed bool
}

type fakeRecord struct {
	t     tag
	value []byte
	part  int32
}

// library makes the fake a Library that can be used for one run.
func (f *fakeClient) library(traits ...Trait) Library {
	lib := Library{Name: "fake", Version: "1", New: func(s Settings, done Done) (Client, error) {
		f.done = done
		f.log = make([][][]byte, max(f.partitions, 1))
		if f.async {
			f.queue = make(chan fakeRecord, 1<<16)
			f.ended = make(chan struct{})
			go f.serve()
		}
		return f, nil
	}}
	for _, t := range traits {
		t(&lib)
	}
	return lib
}

func (f *fakeClient) Produce(ctx context.Context, r *Record) error {
	t := tag(r.Tag).plain()
	if f.block != nil {
		if err := f.block(ctx, t); err != nil {
			return err
		}
	}
	if f.refuse != nil {
		if err := f.refuse(t); err != nil {
			return err
		}
	}
	partition := r.Partition
	if partition < 0 {
		partition = int32(t.seq() % uint64(max(f.partitions, 1)))
	}
	if f.async {
		f.flushed.Add(1)
		f.queue <- fakeRecord{tag(r.Tag), append([]byte(nil), r.Value...), partition}
		return nil
	}
	f.end(tag(r.Tag), partition, r.Value)
	return nil
}

// CompletesSerially: one goroutine completes, and Flush waits for it.
func (f *fakeClient) CompletesSerially() bool { return f.async }

func (f *fakeClient) serve() {
	defer close(f.ended)
	for r := range f.queue {
		if f.service != nil {
			f.service(r.t.plain())
		}
		f.end(r.t, r.part, r.value)
		f.flushed.Done()
	}
}

// end appends and acknowledges.
func (f *fakeClient) end(raw tag, partition int32, value []byte) {
	t := raw.plain()
	if f.forget != nil && f.forget(t) {
		return
	}
	if f.fail != nil {
		if err := f.fail(t); err != nil {
			f.done(uint64(raw), partition, -1, err)
			return
		}
	}
	offset := int64(-1)
	if f.lose == nil || !f.lose(t) {
		offset = f.append(t, partition, value)
	}
	if f.repeat != nil && f.repeat(t) {
		f.append(t, partition, value)
	}
	if f.misplace != nil {
		offset += f.misplace(t)
	}
	f.done(uint64(raw), partition, max(offset, 0), nil)
	if f.double != nil && f.double(t) {
		f.done(uint64(raw), partition, offset, nil)
	}
}

func (f *fakeClient) append(t tag, partition int32, value []byte) int64 {
	kept := append([]byte(nil), value...)
	if f.damage != nil {
		f.damage(t, kept)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log[partition] = append(f.log[partition], kept)
	return int64(len(f.log[partition]) - 1)
}

func (f *fakeClient) Flush(context.Context) error {
	f.flushed.Wait()
	return nil
}

func (f *fakeClient) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errors.New("closed twice")
	}
	f.closed = true
	if f.async {
		close(f.queue)
		<-f.ended
	}
	return nil
}

// verify reads the fake's log.
func (f *fakeClient) verify(l *Ledger) (VerifyResult, error) {
	v, err := NewVerifier(l.Plan)
	if err != nil {
		return VerifyResult{}, err
	}
	for partition, records := range f.log {
		for offset, value := range records {
			v.Record(int32(partition), int64(offset), value)
		}
	}
	return v.Report(l), nil
}

// testConfig is a small closed loop.
func testConfig() Config {
	return Config{
		RunID: 0xfeed, Settings: Settings{Topic: "t", Acks: "all"}, Mode: ModeClosed, Senders: 2, Partitions: 3,
		Partitioner: PartitionerClient, Sizes: FixedSize(100), Records: 2000, Seed: 1, Verify: VerifyFull,
		Pacer: PacerAuto, DrainTimeout: 20 * time.Second, MaxLag: time.Minute, MaxSteal: 1,
	}
}

// is makes a fault that hits one record.
func is(sender int, seq uint64) func(tag) bool {
	return func(t tag) bool { return t == makeTag(sender, seq) }
}
