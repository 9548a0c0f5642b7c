package netio

import (
	"fmt"
	"testing"
)

// BenchmarkRoundTrip is a request of three buffers and its echo, one at a
// time, by a peer in the same process.
func BenchmarkRoundTrip(b *testing.B) {
	for _, kind := range socketKinds() {
		b.Run("socket="+kind.name, func(b *testing.B) {
			nc, peer := tcpPair(b)
			go echo(peer.conn)
			p := newPinger(b, kind, nc)
			b.ReportAllocs()
			for b.Loop() {
				p.roundTrip()
			}
			b.StopTimer()
			p.close()
		})
	}
}

// BenchmarkPollIdle is what a caller pays that assists when nothing is there.
func BenchmarkPollIdle(b *testing.B) {
	for _, kind := range socketKinds() {
		b.Run("socket="+kind.name, func(b *testing.B) {
			nc, _ := tcpPair(b)
			p := newPinger(b, kind, nc)
			b.ReportAllocs()
			for b.Loop() {
				p.kick()
			}
			b.StopTimer()
			p.close()
		})
	}
}

// BenchmarkRole is a turn with nothing in it, alone and contended.
func BenchmarkRole(b *testing.B) {
	b.Run("enter-leave", func(b *testing.B) {
		var r Role
		for b.Loop() {
			r.Enter()
			r.Leave()
		}
	})
	b.Run("enter-held", func(b *testing.B) {
		var r Role
		r.Enter()
		for b.Loop() {
			r.Enter()
		}
	})
	b.Run("contended", func(b *testing.B) {
		var r Role
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if r.Enter() {
					for !r.Leave() {
						continue
					}
				}
			}
		})
	})
}

// BenchmarkDispatch is the receiving side without the kernel: frames out of a
// full buffer.
func BenchmarkDispatch(b *testing.B) {
	for _, size := range []int{60, 700} {
		b.Run(fmt.Sprintf("frame=%d", size), func(b *testing.B) {
			whole := frame(1, make([]byte, size-8))
			in := newInbox(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				from := 0
				for in.size = 0; in.size+len(whole) < inboxSize; in.size += len(whole) {
					copy(in.buf[in.size:], whole)
				}
				for {
					f, _, bad := in.frame(from)
					if bad {
						b.Fatal("bad frame")
					}
					if f == nil {
						break
					}
					from += lengthSize + len(f)
				}
				in.consumed(from)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(inboxSize/size), "ns/frame")
		})
	}
}
