package bench

// Ledger is one run's account of what it sent, for whoever reads the topic. It
// is small however long the run was: what succeeded is everything that is not
// listed as failed.
type Ledger struct {
	Plan VerifyPlan `json:"plan"`
	// Sent is how many sequence numbers each sender used.
	Sent []uint64 `json:"sent"`
	// Failed are the records that may be missing from the log: failed, not
	// accepted, or never completed. FailedAll says that the list is whole.
	Failed    []tag `json:"failed"`
	FailedAll bool  `json:"failed_all"`
	Acked     int64 `json:"acked"`
	// Digests sum up tag and offset of every acknowledged record, by partition;
	// nil where some offset was not known.
	Digests []uint64 `json:"digests"`
}

// VerifyPlan is what a reader must know before the first record.
type VerifyPlan struct {
	RunID           RunID   `json:"run_id"`
	Topic           string  `json:"topic"`
	Partitions      int     `json:"partitions"`
	Senders         int     `json:"senders"` // of all shards
	Shard           Shard   `json:"shard,omitzero"`
	Seed            uint64  `json:"seed"`
	Sizes           Sizes   `json:"size"`
	Payload         string  `json:"payload,omitempty"`
	Compressibility float64 `json:"compressibility"`
	// PayloadFile is where the values are, which then have no stamps.
	PayloadFile *PayloadFile `json:"payload_file,omitempty"`
}

// verifyPlan is the part of the plan that a reader needs.
func (c *Config) verifyPlan() VerifyPlan {
	return VerifyPlan{
		RunID: c.RunID, Topic: c.Settings.Topic, Partitions: c.Partitions, Senders: max(c.Shard.all(1), c.Procs) * c.Senders, Shard: c.Shard,
		Seed: c.Seed, Sizes: c.Sizes, Payload: c.Payload, Compressibility: c.Compressibility, PayloadFile: c.PayloadFile,
	}
}

// ledger closes the account. It is called after the client was closed.
func (r *run) ledger() *Ledger {
	rec := r.rec
	rec.mu.Lock()
	defer rec.mu.Unlock()
	l := &Ledger{Plan: r.cfg.verifyPlan(), FailedAll: true, Acked: int64(rec.totalAcked()), Failed: []tag{}}
	for _, t := range rec.failed {
		l.Failed = append(l.Failed, t+rec.shift)
	}
	// The other shards' senders are in their own ledgers.
	l.Sent = make([]uint64, r.cfg.Shard.first(r.cfg.Senders))
	for i := range rec.shards {
		sh := &rec.shards[i]
		sent := sh.sent.Load()
		l.Sent = append(l.Sent, sent)
		if sh.ended == nil {
			continue
		}
		// Rejected records never end either; they are listed already, and
		// twice is as good as once.
		sh.ended.missing(sent, func(seq uint64) bool {
			l.Failed = append(l.Failed, makeTag(i, seq)+rec.shift)
			return len(l.Failed) < 2*maxFailedTags
		})
	}
	l.FailedAll = len(rec.failed) < maxFailedTags && len(l.Failed) < 2*maxFailedTags
	if rec.digestOK.Load() && rec.digests != nil {
		for i := range rec.digests {
			l.Digests = append(l.Digests, rec.digests[i].Load())
		}
	}
	return l
}
