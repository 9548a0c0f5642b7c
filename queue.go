package kring

// queue is a FIFO of partitions in a growing circular buffer.
type queue struct {
	items []*partition
	head  int
	count int
}

func (q *queue) len() int { return q.count }

func (q *queue) push(x *partition) {
	if q.count == len(q.items) {
		q.grow()
	}
	q.items[(q.head+q.count)%len(q.items)] = x
	q.count++
}

// pushFront puts x back where pop took it.
func (q *queue) pushFront(x *partition) {
	if q.count == len(q.items) {
		q.grow()
	}
	q.head = (q.head + len(q.items) - 1) % len(q.items)
	q.items[q.head] = x
	q.count++
}

func (q *queue) pop() *partition {
	x := q.items[q.head]
	q.items[q.head] = nil
	q.head = (q.head + 1) % len(q.items)
	q.count--
	return x
}

func (q *queue) grow() {
	items := make([]*partition, max(16, 2*len(q.items)))
	for i := range q.count {
		items[i] = q.items[(q.head+i)%len(q.items)]
	}
	q.items, q.head = items, 0
}
