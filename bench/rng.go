package bench

import "math/bits"

// rng is SplitMix64: a few instructions per number, seeded, and the same in
// every run and on every machine, which is what a workload needs of it.
type rng struct{ state uint64 }

func newRNG(seed, stream uint64) *rng { return &rng{state: mix64(seed ^ mix64(stream+1))} }

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return mix64(r.state)
}

// below returns a number in [0, n) by multiplication; the bias of n / 2^64 is
// far below what a load generator can show.
func (r *rng) below(n uint64) uint64 {
	hi, _ := bits.Mul64(r.next(), n)
	return hi
}

// unit returns a number in [0, 1).
func (r *rng) unit() float64 { return float64(r.next()>>11) / (1 << 53) }

// mix64 spreads every bit of z over the whole word.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
