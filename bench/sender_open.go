package bench

import "context"

// burstReads is how many records of a backlog are sent on one reading of the
// clock. Their send times are then early by the time of that many calls.
const burstReads = 8

// openLoop sends record after record at or after its intended time, and
// everything that is due at once. It never skips a record because it is late:
// end is the number of records that the timetable holds, and only the grace
// period, or a stop, leaves some unsent.
func (s *sender) openLoop(ctx context.Context, end uint64) {
	defer s.publish()
	s.newSample()
	zero := s.rec.start.Load()
	now := s.rec.clock() - zero
	woke := now // What was due before has waited for the harness, and not for the client.
	for s.seq < end {
		due := s.rec.schedule.intended(s.id, s.seq)
		if now < due {
			now = s.await(zero, due)
			if s.signal.stop.Load() {
				return
			}
			woke = now
			continue
		}
		if now > s.grace || s.signal.stop.Load() {
			return
		}
		if due <= woke && s.seq >= s.shard.measured.Load() {
			s.shard.wake.record(woke - due)
		}
		var ok bool
		if now, ok = s.timed(ctx, zero, now, due); !ok {
			return
		}
		if s.seq%burstReads == 0 {
			now = s.rec.clock() - zero
		}
	}
}

// await sleeps until due, or longer. How much longer is the harness's own doing,
// for every record that was due meanwhile; the lag of a record may also be the
// client's, when it did not take the record before.
func (s *sender) await(zero, due int64) int64 {
	s.publish()
	now := s.rec.clock() - zero
	for now < due && !s.signal.stop.Load() {
		s.pacer.wait(due - now)
		now = s.rec.clock() - zero
	}
	return now
}

// timed is one, with the clock reading that the caller has already made. It
// returns the newest reading.
func (s *sender) timed(ctx context.Context, zero, now, due int64) (int64, bool) {
	t := makeTag(s.id, s.seq)
	if measured := s.shard.measured.Load(); s.seq >= measured {
		s.shard.lag.record(now - due)
		if s.seq == measured {
			s.warmBytes = s.bytes
		}
	}
	if s.left > 0 {
		s.left--
		return now, s.produce(ctx, t)
	}
	s.left = s.shard.sample - 1
	s.note(zero + now)
	ok := s.produce(ctx, t|tagSampled)
	after := s.rec.clock() - zero
	if ok {
		s.recordCall(t, after-now)
	}
	return after, ok
}
