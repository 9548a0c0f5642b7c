package accum

import "github.com/kring-go/kring/internal/latency"

// Stages is where the time of a batch goes. They follow each other; the first
// two and the last count batches, the others requests.
type Stages struct {
	Fill     latency.Histogram // from the first record until the batch is sealed
	Queue    latency.Histogram // until it is taken for a request; the first time
	Write    latency.Histogram // until the request has left for the socket
	Ack      latency.Histogram // until the answer was read
	Callback latency.Histogram // until the callbacks have run, if there are any
}

// Stages are the histograms of a. They are always on.
func (a *Accumulator) Stages() *Stages { return a.stages }

// seal seals b in its life gen, as state.seal does, and remembers when. Where
// two race, the later one may win, by next to nothing. One that stalls here for
// the rest of the batch's life spoils one figure of the next.
func (b *Batch) seal(gen uint32, now int64) (s state, won bool) {
	if s = b.state.load(); s.gen() != gen || s.sealed() {
		return s, false
	}
	b.sealedAt.Store(now)
	return b.state.seal(gen)
}

// taken records what lies behind a batch that is sent for the first time.
func (b *Batch) taken(now int64) {
	created, sealed := b.created.Load(), b.sealedAt.Load()
	if sealed < created || sealed > now { // sealed when it was opened, for one record
		sealed = created
	}
	b.acc.stages.Fill.Record(sealed - created)
	b.acc.stages.Queue.Record(now - sealed)
}

// calledBack records the last stage.
func (b *Batch) calledBack() {
	b.acc.stages.Callback.Record(b.acc.cfg.Clock.Now() - b.finishedAt)
}
