package slab

import "fmt"

// poisonByte fills a slot that is home, with the tag invariants.
const poisonByte = 0xCC

// poison fills slot i, which is about to go home.
func (s *Slab) poison(i uint32) {
	b := s.Bytes(i)
	for n := range b {
		b[n] = poisonByte
	}
}

// checkHome panics if slot i, which comes from the free list and whose word was
// before, is in other hands or was written to since it came home.
func (s *Slab) checkHome(i uint32, before word) {
	if before.sides() != 0 {
		panic(fmt.Sprintf("slab: slot %d is on the free list with sides %02b held", i, before>>62))
	}
	for n, c := range s.Bytes(i) {
		if c != poisonByte {
			panic(fmt.Sprintf("slab: slot %d has 0x%02x at offset %d, written after its release", i, c, n))
		}
	}
}
