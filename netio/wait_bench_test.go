//go:build linux

package netio

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWait measures, from the start of a request to the call of
// Handler.Response, how the ways to wait do:
//
//	app=idle      the application does nothing but wait for the answer
//	app=busy      two goroutines compute all the time, in slices of 40 µs, and
//	              send the next request 250 µs after the last answer
//	app=assisting the same, and between two slices they poll the socket if a
//	              request is out
//
// The peer is a process of its own. While the application is busy it takes
// 200 µs for a request, as a broker might: without that, the kernel often lets
// the peer answer before the sender returns from writev, and the poll that
// follows finds the answer without any waiting. Reported are the median and the 99th
// percentile, the CPU time of this process per request, and, when busy, which
// part of this process's CPU time was the application's own slices (other
// processes on the machine disturb that less than slices per second). Run it
// with
//
//	go test ./netio -run XXX -bench Wait -benchtime 300x -count 5
func BenchmarkWait(b *testing.B) {
	for _, way := range waitWays() {
		b.Run("way="+way.name+"/app=idle", func(b *testing.B) { benchWait(b, way, appIdle) })
	}
	for _, way := range waitWays() {
		if way.handsToIt {
			continue
		}
		b.Run("way="+way.name+"/app=busy", func(b *testing.B) { benchWait(b, way, appBusy) })
		b.Run("way="+way.name+"/app=assisting", func(b *testing.B) { benchWait(b, way, appAssisting) })
	}
}

// busyService is what the peer takes for a request while the application is
// busy.
const busyService = 200 * time.Microsecond

type appMode uint8

const (
	appIdle appMode = iota
	appBusy
	appAssisting
)

// startEcho starts the peer process and returns the connection to it.
func startEcho(b *testing.B, service time.Duration) *net.TCPConn {
	b.Helper()
	ln := listen(b)
	peer := exec.Command(os.Args[0])
	peer.Env = append(os.Environ(), echoEnv+"="+ln.Addr().String(), serviceEnv+"="+service.String(), "GOMAXPROCS=1")
	if err := peer.Start(); err != nil {
		b.Fatalf("peer: %v", err)
	}
	nc, err := ln.Accept()
	if err != nil {
		b.Fatalf("accept: %v", err)
	}
	b.Cleanup(func() {
		nc.Close() // which ends the peer
		peer.Wait()
	})
	return nc.(*net.TCPConn)
}

// stopwatch is a pinger that keeps the time of every round trip.
type stopwatch struct {
	*pinger
	ws       *waitSocket
	epoch    time.Time
	started  time.Time
	times    []time.Duration
	busy     bool         // the application does not wait for answers
	want     atomic.Bool  // a request waits for the thread that sends
	out      atomic.Bool  // a request has not been answered
	lastEnd  atomic.Int64 // when the last answer came
	finished atomic.Int64 // answers so far
}

func (s *stopwatch) Response(int, []byte) error {
	now := time.Now()
	s.times = append(s.times, now.Sub(s.started))
	s.lastEnd.Store(int64(now.Sub(s.epoch)))
	s.out.Store(false)
	s.finished.Add(1)
	if !s.busy {
		s.answered <- struct{}{}
	}
	return nil
}

func benchWait(b *testing.B, way waitWay, mode appMode) {
	s := &stopwatch{epoch: time.Now(), busy: mode != appIdle, times: make([]time.Duration, 0, b.N+1)}
	service := time.Duration(0)
	if s.busy {
		service = busyService
	}
	s.pinger = newPinger(b, way.kind(b, &s.ws), startEcho(b, service))
	s.underRole(func() {
		s.conn.handler = s
		s.beforePoll = func() {
			if s.want.Swap(false) {
				s.write()
			}
		}
	})
	slice := calibrate()
	cpu, slices := cpuTime(), int64(0)
	b.ResetTimer()
	if s.busy {
		slices = s.runBusy(slice, int64(b.N), mode == appAssisting)
	} else {
		for range b.N {
			s.started = time.Now()
			if way.handsToIt {
				s.want.Store(true)
				s.ws.wake()
			} else {
				s.send()
			}
			<-s.answered
		}
	}
	b.StopTimer()
	cpu = cpuTime() - cpu
	s.close()
	report(b, s.times, cpu, slices)
}

// runBusy computes on two goroutines; the first also sends.
func (s *stopwatch) runBusy(slice int, requests int64, assist bool) (slices int64) {
	var count atomic.Int64
	var wg sync.WaitGroup
	for me := range 2 {
		wg.Go(func() {
			for x := uint64(1); s.finished.Load() < requests; count.Add(1) {
				x = spin(x, slice)
				if s.out.Load() {
					if assist {
						s.kick()
					}
					continue
				}
				idle := time.Since(s.epoch) - time.Duration(s.lastEnd.Load())
				if me == 0 && idle > 250*time.Microsecond && s.finished.Load() < requests {
					s.out.Store(true)
					s.started = time.Now()
					s.send()
				}
			}
		})
	}
	wg.Wait()
	return count.Load()
}

// spin is the application's work.
//
//go:noinline
func spin(x uint64, n int) uint64 {
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// calibrate returns how many steps of spin take 40 µs.
func calibrate() int {
	best := time.Hour
	for range 20 {
		start := time.Now()
		_ = spin(1, 100_000)
		best = min(best, time.Since(start))
	}
	return int(100_000 * 40_000 / best.Nanoseconds())
}

// cpuTime is what this process has used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func report(b *testing.B, times []time.Duration, cpu time.Duration, done int64) {
	slices.Sort(times)
	us := func(p float64) float64 { return float64(times[int(p*float64(len(times)-1))].Nanoseconds()) / 1e3 }
	b.ReportMetric(us(0.5), "p50-µs")
	b.ReportMetric(us(0.99), "p99-µs")
	b.ReportMetric(0, "ns/op")
	if done > 0 {
		b.ReportMetric(100*float64(done)*40e3/float64(cpu.Nanoseconds()), "app-%")
	} else {
		b.ReportMetric(float64(cpu.Microseconds())/float64(len(times)), "cpu-µs/op")
	}
	runtime.GC() // keep one run's garbage out of the next one
}
