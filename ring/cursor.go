package ring

import (
	"sync/atomic"
	"unsafe"
)

// cacheLine is two 64-byte lines, since x86 prefetches the neighbour of a line
// that it fetches, so that two cursors on adjacent lines still disturb each
// other.
const cacheLine = 128

// cursor is a position that one side writes all the time. The padding keeps
// what follows it on another line; what precedes it must be padded too.
type cursor struct {
	pos atomic.Uint64
	_   [cacheLine - 8]byte
}

// A cursor of another size fails the build, not the benchmark.
var _ [cacheLine]byte = [unsafe.Sizeof(cursor{})]byte{}
