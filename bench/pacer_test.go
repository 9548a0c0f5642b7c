package bench

import (
	"testing"
	"time"
)

func TestScheduleDoesNotDrift(t *testing.T) {
	for _, rate := range []uint64{1, 3, 7, 20_000, 3_000_000, 999_999_937, maxRate} {
		s := schedule{rate: rate, senders: 1}
		for _, seconds := range []uint64{0, 1, 59, 3600, 86400 * 365} {
			if got, want := s.intended(0, seconds*rate), int64(seconds)*int64(time.Second); got != want {
				t.Errorf("rate %d: record %d is due at %d ns, want %d", rate, seconds*rate, got, want)
			}
		}
	}
}

func TestScheduleInterleavesSenders(t *testing.T) {
	one := schedule{rate: 20_000, senders: 1}
	many := schedule{rate: 20_000, senders: 8}
	for n := range uint64(1000) {
		if got, want := many.intended(int(n%8), n/8), one.intended(0, n); got != want {
			t.Fatalf("record %d: sender %d says %d, want %d", n, n%8, got, want)
		}
	}
}

func TestScheduleBefore(t *testing.T) {
	for _, s := range []schedule{
		{rate: 1, senders: 1}, {rate: 3, senders: 2}, {rate: 20_000, senders: 8}, {rate: 3_000_000, senders: 7}, {rate: maxRate, senders: 3},
	} {
		for _, at := range []int64{-1, 0, 1, 999_999_999, 1_000_000_000, 1_000_000_001, 2_500_000_000} {
			total := uint64(0)
			for sender := range int(s.senders) {
				n := s.before(sender, at)
				total += n
				if n > 0 && s.intended(sender, n-1) >= at {
					t.Errorf("%+v: record %d of sender %d is due at %d, not before %d", s, n-1, sender, s.intended(sender, n-1), at)
				}
				if at > 0 && s.intended(sender, n) < at {
					t.Errorf("%+v: record %d of sender %d is due at %d, before %d", s, n, sender, s.intended(sender, n), at)
				}
			}
			if want := uint64(max(at, 0)) / 1_000_000_000 * s.rate; at%1_000_000_000 == 0 && at >= 0 && total != want {
				t.Errorf("%+v: %d records before %d, want %d", s, total, at, want)
			}
		}
	}
}

func TestPacers(t *testing.T) {
	for _, method := range []string{PacerNanosleep, PacerTimerfd, PacerSleep} {
		t.Run(method, func(t *testing.T) {
			if _, err := resolvePacer(method, 1); err != nil {
				t.Skip(err)
			}
			p, err := newPacer(method)
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			clock := NewClock()
			const nap = int64(2 * time.Millisecond)
			start := clock()
			p.wait(nap)
			if d := clock() - start; d < nap*9/10 {
				t.Errorf("waited %v, want %v", time.Duration(d), time.Duration(nap))
			}
			p.wait(0)
			p.wait(-1)

			stopped := make(chan struct{})
			go func() {
				defer close(stopped)
				for clock()-start < int64(20*time.Second) {
					p.wait(int64(20 * time.Second))
					return
				}
			}()
			p.stop()
			select {
			case <-stopped:
			case <-time.After(10 * time.Second):
				t.Error("stop does not end a wait")
			}
		})
	}
}

func TestResolvePacer(t *testing.T) {
	if _, err := resolvePacer("guess", 1); err == nil {
		t.Error("an unknown method is accepted")
	}
	one, err := resolvePacer(PacerAuto, 1)
	if err != nil {
		t.Fatal(err)
	}
	many, err := resolvePacer(PacerAuto, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if one == PacerAuto || many == PacerNanosleep {
		t.Errorf("auto is %s for one sender and %s for a thousand", one, many)
	}
}
