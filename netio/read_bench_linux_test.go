package netio

import (
	"io"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkRead compares a read that tells the scheduler with one that does
// not, when the socket is empty and when it holds a response.
func BenchmarkRead(b *testing.B) {
	impls := []struct {
		name string
		read func(fd int, p []byte) (int, syscall.Errno)
	}{
		{"raw", sysRead},
		{"scheduler", func(fd int, p []byte) (int, syscall.Errno) {
			n, err := unix.Read(fd, p)
			if err != nil {
				return 0, err.(syscall.Errno) //nolint:errorlint // unix.Read returns nothing else
			}
			return n, 0
		}},
	}
	for _, impl := range impls {
		nc, peer := tcpPair(b)
		s, err := newRawSocket(nc)
		if err != nil {
			b.Fatal(err)
		}
		buf, response := make([]byte, inboxSize), make([]byte, 700)
		b.Run("impl="+impl.name+"/socket=empty", func(b *testing.B) {
			for b.Loop() {
				impl.read(s.fd, buf)
			}
		})
		b.Run("impl="+impl.name+"/socket=700B", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if _, err := peer.conn.Write(response); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				for got := 0; got < len(response); {
					n, errno := impl.read(s.fd, buf)
					if n == 0 && errno == 0 {
						b.Fatal(io.EOF)
					}
					got += n
				}
			}
		})
		nc.Close()
	}
}
