package kring

import (
	"errors"
	"fmt"
	"sync"

	"github.com/kring-go/kring/accum"
)

// live are the settings that Reconfigure may change, as they are now.
type live struct {
	mu     sync.Mutex
	now    *config // what Reconfigure has made of the producer's; nil: nothing yet
	packed bool    // the packers run
}

// liveOption is an option that Reconfigure takes.
type liveOption func(*config)

func (o liveOption) apply(c *config) { o(c) }

// Reconfigure changes a producer that is at work: Linger, BatchSize, Compression
// and CompressionLevel. All of opts take effect or, with an error, none: the
// error matches ErrConfig if a setting is impossible, does not fit the others, or
// can only be given to New, and ErrClosed after Close.
//
// Batches that are being filled at the moment leave as they are, which without
// the Compression that they were filled for can be more than BatchSize. It can
// not grow beyond what a piece of BufferMemory holds: the BatchSize that New was
// given, and up to four times that if New was given a Compression. With a
// Compression that New was not given, batches do not take more records for being
// compressed.
//
// Credentials change without it: a sasl.Mechanism and TLSFiles read them anew
// for each connection.
func (p *Producer) Reconfigure(opts ...Option) error {
	p.live.mu.Lock()
	defer p.live.mu.Unlock()
	if p.closing.Load() {
		return ErrClosed
	}
	c := p.cfg // a copy, in which nothing is given but by Reconfigure
	c.given = [settings]string{}
	if p.live.now != nil {
		c = *p.live.now
	}
	c.problems, c.invalid = nil, [settings]bool{}
	for i, o := range opts {
		if _, ok := o.(liveOption); !ok {
			c.problem("Reconfigure: option %d of %d can only be given to New", i+1, len(opts))
			continue
		}
		o.apply(&c)
	}
	if err := p.checkLive(&c); err != nil {
		return err
	}
	compressor, err := c.compressor()
	if err != nil {
		return errors.Join(err, ErrConfig)
	}
	if err := p.acc.SetBatchSize(c.batchSize); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrConfig, c.words(setBatchSize), err)
	}
	p.live.now = &c
	p.limitSticky(c.batchSize)
	if d := c.linger; d != p.acc.Linger() {
		p.acc.SetLinger(d)
		p.lingers.Restart()
		p.timer.awakeNow()
	}
	p.setCompressor(&c, compressor)
	p.log.Info("kring: reconfigured", "linger", c.linger, "batch.size", c.batchSize, "compression", c.codec)
	return nil
}

// checkLive reports what Reconfigure may not do.
func (p *Producer) checkLive(c *config) error {
	c.checkEach()
	if c.sound(setBatchSize, setBufferMemory) && int64(c.batchSize) > c.bufferMemory {
		c.problem("%s: must be at most buffer.memory, %d", clip(c.words(setBatchSize)), c.bufferMemory)
	}
	if most := c.leastTimeout() - c.requestTimeout; c.sound(setLinger) && c.linger > most {
		c.problem("%s: must be at most delivery timeout - request timeout = %v", clip(c.words(setLinger)), most)
	}
	c.batchSize = max(c.batchSize, 1)
	return errors.Join(c.problems...)
}

func (p *Producer) setCompressor(c *config, z accum.Compressor) {
	if c.codec == NoCompression {
		p.acc.SetCompressor(nil, 0)
		return
	}
	p.startPackers()
	p.acc.SetCompressor(z, int16(c.codec))
}

// limitSticky tells the partitioners how many bytes make a turn.
func (p *Producer) limitSticky(batchSize int) {
	p.meta.mu.Lock()
	defer p.meta.mu.Unlock()
	for _, t := range p.meta.topics {
		if s, own := t.sticky.Load(), p.cfg.topics[t.name]; s != nil && (own == nil || own.batchSize == nil) {
			s.limit.Store(uint64(batchSize))
		}
	}
}

// awakeNow makes the timer look now, also if it only rests for a moment.
func (t *timer) awakeNow() {
	t.asleep.Store(false)
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
