package ring

import "sync"

// queue is what the benchmark needs of an implementation.
type queue interface {
	TryPush(item) bool
	TryPop() (item, bool)
}

// chanQueue is the baseline that every Go programmer would take first.
type chanQueue chan item

func (q chanQueue) TryPush(v item) bool {
	select {
	case q <- v:
		return true
	default:
		return false
	}
}

func (q chanQueue) TryPop() (item, bool) {
	select {
	case v := <-q:
		return v, true
	default:
		return item{}, false
	}
}

// mutexQueue is a bounded deque under a mutex, as in Kafka's accumulator.
type mutexQueue struct {
	mu    sync.Mutex
	items []item
	head  int
	n     int
}

func newMutexQueue(capacity int) *mutexQueue {
	return &mutexQueue{items: make([]item, capacity)}
}

func (q *mutexQueue) TryPush(v item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == len(q.items) {
		return false
	}
	q.items[(q.head+q.n)%len(q.items)] = v
	q.n++
	return true
}

func (q *mutexQueue) TryPop() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.n == 0 {
		return item{}, false
	}
	v := q.items[q.head]
	q.items[q.head] = item{}
	q.head = (q.head + 1) % len(q.items)
	q.n--
	return v, true
}
