package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// faultCase is one fault, and what must be found of it.
type faultCase struct {
	name  string
	fault *fakeClient
	check func(r *Result, v *VerifyResult) bool
	exit  int
}

// faultCases plant every fault once, at one record.
func faultCases() []faultCase {
	hit := is(1, 500)
	return []faultCase{
		{"none", &fakeClient{}, func(_ *Result, v *VerifyResult) bool {
			return v.Read == 2000 && !v.Failed() && *v.Misplaced == 0
		}, ExitOK},
		{"one record lost", &fakeClient{lose: hit}, func(_ *Result, v *VerifyResult) bool {
			return v.Lost == 1 && v.Read == 1999 && strings.Contains(strings.Join(v.Problems, " "), "record 500 of sender 1 is missing")
		}, ExitVerify},
		{"one record twice", &fakeClient{repeat: hit}, func(_ *Result, v *VerifyResult) bool {
			return v.Duplicated == 1 && v.Lost == 0
		}, ExitVerify},
		{"one bit of a body", &fakeClient{damage: func(t tag, b []byte) {
			if hit(t) {
				b[99] ^= 1
			}
		}}, func(_ *Result, v *VerifyResult) bool { return v.Corrupt == 1 }, ExitVerify},
		{"one bit of a stamp", &fakeClient{damage: func(t tag, b []byte) {
			if hit(t) {
				b[15] ^= 1
			}
		}}, func(_ *Result, v *VerifyResult) bool { return v.Corrupt == 1 }, ExitVerify},
		{"acknowledged at another offset", &fakeClient{misplace: func(t tag) int64 {
			if hit(t) {
				return 1
			}
			return 0
		}}, func(_ *Result, v *VerifyResult) bool {
			return v.Misplaced != nil && *v.Misplaced == 1 && v.Lost == 0
		}, ExitVerify},
		{"completed twice", &fakeClient{double: hit}, func(_ *Result, v *VerifyResult) bool {
			return v.CompletedTwice == 1 && v.Lost == 0
		}, ExitVerify},
		{"never completed", &fakeClient{forget: hit}, func(r *Result, v *VerifyResult) bool {
			return r.Totals.Unresolved == 1 && v.Lost == 0
		}, ExitRuntime},
		{"failed", &fakeClient{fail: func(t tag) error {
			if hit(t) {
				return errors.New("broker is gone")
			}
			return nil
		}}, func(r *Result, v *VerifyResult) bool {
			return r.Totals.Failed == 1 && v.Lost == 0 && r.Errors[0].Message == "broker is gone"
		}, ExitRuntime},
		{"refused", &fakeClient{refuse: func(t tag) error {
			if hit(t) {
				return errors.New("too large")
			}
			return nil
		}}, func(r *Result, v *VerifyResult) bool {
			return r.Totals.Rejected == 1 && r.Totals.Sent == 1999 && v.Lost == 0
		}, ExitRuntime},
	}
}

// TestVerifierFindsFaults expects exactly what was planted.
func TestVerifierFindsFaults(t *testing.T) {
	for _, tc := range faultCases() {
		t.Run(tc.name, func(t *testing.T) {
			f := tc.fault
			f.partitions = 3
			r, err := Run(context.Background(), testConfig(), f.library(), Output{})
			if err != nil {
				t.Fatal(err)
			}
			v, err := f.verify(r.Ledger)
			if err != nil {
				t.Fatal(err)
			}
			v.CompletedTwice, v.Stray = r.Verify.CompletedTwice, r.Verify.Stray
			r.Verify = v
			if !tc.check(r, &v) {
				t.Errorf("totals %+v, verify %+v", r.Totals, v)
			}
			if got := ExitCode(r, false, nil); got != tc.exit {
				t.Errorf("exit code %d, want %d: %q", got, tc.exit, r.InvalidReasons)
			}
		})
	}
}

// feed gives records to a verifier by hand.
func feed(t *testing.T, sizes Sizes, records func(put func(partition int32, offset int64, sender int, seq uint64, size int), v *Verifier)) *Verifier {
	t.Helper()
	plan := VerifyPlan{RunID: 5, Topic: "t", Partitions: 2, Senders: 2, Seed: 1, Sizes: sizes}
	v, err := NewVerifier(plan)
	if err != nil {
		t.Fatal(err)
	}
	records(func(partition int32, offset int64, sender int, seq uint64, size int) {
		value := append([]byte(nil), v.pool.bodies[seq%uint64(len(v.pool.bodies))][:size]...)
		if size >= StampSize {
			putStamp(value, 5, uint64(makeTag(sender, seq)))
		}
		v.Record(partition, offset, value)
	}, v)
	return v
}

func TestVerifierOrder(t *testing.T) {
	v := feed(t, FixedSize(50), func(put func(int32, int64, int, uint64, int), _ *Verifier) {
		put(0, 0, 0, 0, 50)
		put(0, 1, 0, 2, 50)
		put(0, 2, 1, 0, 50) // another sender: no order between them
		put(0, 3, 0, 1, 50) // behind its successor
		put(1, 0, 0, 3, 50) // another partition: an order of its own
	})
	r := v.Report(&Ledger{Sent: []uint64{4, 1}, FailedAll: true})
	if r.Reordered != 1 || r.Lost != 0 || r.Duplicated != 0 || r.Read != 5 {
		t.Errorf("%+v, want one reordered and nothing else", r)
	}
	v = feed(t, FixedSize(50), func(put func(int32, int64, int, uint64, int), _ *Verifier) {
		put(0, 1, 0, 0, 50)
		put(0, 1, 0, 1, 50)
	})
	if r := v.Report(&Ledger{Sent: []uint64{2, 0}}); r.Reordered != 1 {
		t.Errorf("the same offset twice: %+v, want one reordered", r)
	}
}

func TestVerifierSmallValues(t *testing.T) {
	sizes, err := ParseSizes("uniform:0-50")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name       string
		small      int
		lost, dupl int64
	}{{"all there", 3, 0, 0}, {"one lost", 2, 1, 0}, {"one twice", 4, 0, 1}} {
		t.Run(tc.name, func(t *testing.T) {
			v := feed(t, sizes, func(put func(int32, int64, int, uint64, int), _ *Verifier) {
				put(0, 0, 0, 0, 50)
				for i := range tc.small {
					put(0, int64(1+i), 0, uint64(1+i), 10)
				}
			})
			r := v.Report(&Ledger{Sent: []uint64{4, 0}, FailedAll: true})
			if r.Lost != tc.lost || r.Duplicated != tc.dupl || r.Note == "" {
				t.Errorf("%+v, want %d lost, %d duplicated, and a note", r, tc.lost, tc.dupl)
			}
		})
	}
}

func TestVerifierStrangers(t *testing.T) {
	v := feed(t, FixedSize(50), func(put func(int32, int64, int, uint64, int), v *Verifier) {
		v.Record(0, 0, make([]byte, 50))
		v.Record(0, 1, nil)
		put(0, 2, 0, 0, 50)
		v.Record(9, 0, nil)
	})
	r := v.Report(&Ledger{Sent: []uint64{1, 0}, FailedAll: true})
	if r.Foreign != 2 || r.Read != 1 || r.Failed() || len(r.Problems) != 1 {
		t.Errorf("%+v, want two foreign records, one of ours, and a word about partition 9", r)
	}
}

func TestBitmap(t *testing.T) {
	var b bitmap
	for _, seq := range []uint64{0, 63, 64, chunkBits - 1, chunkBits, 3*chunkBits + 7} {
		if b.has(seq) || !b.set(seq) || b.set(seq) || !b.has(seq) {
			t.Errorf("bit %d is not set exactly once", seq)
		}
	}
	if b.set(maxChunks * chunkBits) {
		t.Error("a bit beyond the capacity counts as new")
	}
	var missing []uint64
	b.missing(66, func(seq uint64) bool {
		missing = append(missing, seq)
		return len(missing) < 63
	})
	if len(missing) != 63 || missing[0] != 1 || missing[62] != 65 {
		t.Errorf("missing below 66: %v", missing)
	}
}
