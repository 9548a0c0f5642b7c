package slab

import "sync"

// source is what the benchmark needs of an implementation: one buffer, and the
// way back.
type source interface {
	get() *buffer
	put(*buffer)
}

// buffer is a slot, or what stands for it.
type buffer struct {
	slot  [1]uint32
	bytes []byte
}

// slabSource takes the buffers of a slab, by Try, with Get as the way out.
type slabSource struct {
	s       *Slab
	buffers []buffer
}

func newSlabSource(slots, size int) source {
	s := New(int64(slots)*int64(size), size)
	src := &slabSource{s: s, buffers: make([]buffer, slots)}
	for i := range src.buffers {
		src.buffers[i] = buffer{slot: [1]uint32{uint32(i)}, bytes: s.Bytes(uint32(i))}
	}
	return src
}

func (p *slabSource) get() *buffer {
	var one [1]uint32
	if !p.s.Try(one[:]) {
		return nil
	}
	return &p.buffers[one[0]]
}

func (p *slabSource) put(b *buffer) { p.s.ReleaseRecord(b.slot[0]) }

// poolSource is sync.Pool. It bounds nothing, and forgets at every collection.
type poolSource struct{ p sync.Pool }

func newPoolSource(_, size int) source {
	src := &poolSource{}
	src.p.New = func() any { return &buffer{bytes: make([]byte, size)} }
	return src
}

func (p *poolSource) get() *buffer  { return p.p.Get().(*buffer) }
func (p *poolSource) put(b *buffer) { p.p.Put(b) }

// chanSource is a channel of buffers: first in, first out, so always the
// coldest one.
type chanSource chan *buffer

func newChanSource(slots, size int) source {
	src := make(chanSource, slots)
	for range slots {
		src <- &buffer{bytes: make([]byte, size)}
	}
	return src
}

func (p chanSource) get() *buffer {
	select {
	case b := <-p:
		return b
	default:
		return nil
	}
}

func (p chanSource) put(b *buffer) { p <- b }

// mutexSource is a free list under a mutex, as in Kafka's BufferPool.
type mutexSource struct {
	mu   sync.Mutex
	free []*buffer
}

func newMutexSource(slots, size int) source {
	src := &mutexSource{}
	for range slots {
		src.free = append(src.free, &buffer{bytes: make([]byte, size)})
	}
	return src
}

func (p *mutexSource) get() *buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		return nil
	}
	b := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	return b
}

func (p *mutexSource) put(b *buffer) {
	p.mu.Lock()
	p.free = append(p.free, b)
	p.mu.Unlock()
}
