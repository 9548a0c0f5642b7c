package kring

// Traffic classes: the partitions of topics with TopicBulk, and the others.

// bulkShare is how many requests leave, at most, before one is for bulk records
// that wait.
const bulkShare = 8

// classes says that some topic gives way.
func (c *config) classes() bool { return c.hasBulk }

func (c *config) isBulk(topic string) bool {
	s := c.topics[topic]
	return s != nil && s.bulk
}

// chooseByClass is for the holder of the role.
func (b *broker) chooseByClass() {
	waits := false // bulk does
	others := func(q *partition) bool {
		waits = waits || q.bulk
		return !q.bulk
	}
	bulk := func(q *partition) bool { return q.bulk }
	if b.passed >= bulkShare-1 {
		b.choose(bulk)
	}
	if len(b.chosen) == 0 {
		b.choose(others)
		if len(b.chosen) > 0 {
			if waits {
				b.passed++
			}
			return
		}
		if most := b.p.cfg.maxInFlight; b.conn.InFlight() == 0 || b.conn.InFlight() < most-1 {
			b.choose(bulk)
		}
	}
	if len(b.chosen) > 0 {
		b.passed = 0
	}
}
