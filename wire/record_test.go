package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestPutRecordMatchesKmsg(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			if got, want := s.put(t), s.kmsgBytes(); !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", head(got), head(want))
			}
		})
	}
}

// head keeps a failure message readable.
func head(p []byte) []byte { return p[:min(len(p), 64)] }

// TestPutRecordDeltas combines every size of the three numbers in the prefix,
// around the borders of the one-store path.
func TestPutRecordDeltas(t *testing.T) {
	numbers := []int64{0, 1, 31, 63, 64, 127, 128, 8191, 8192, 16383, 16384, 1 << 20, 1 << 30}
	for _, size := range []int{-1, 0, 1, 2, 3, 57, 58, 8180, 8190, 8200} {
		s := sample{}
		if size >= 0 {
			s.value = fill(size)
		}
		for _, offset := range numbers {
			for _, timestamp := range numbers {
				for _, sign := range []int64{1, -1} {
					s.offsetDelta, s.timestampDelta = int32(offset), sign*timestamp
					if got, want := s.put(t), s.kmsgBytes(); !bytes.Equal(got, want) {
						t.Fatalf("size %d, offset %d, timestamp %d: got %x, want %x",
							size, s.offsetDelta, s.timestampDelta, head(got), head(want))
					}
				}
			}
		}
	}
}

func TestPutRecordRandom(t *testing.T) {
	rng := newRand(t)
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	for range rounds {
		s := randomSample(rng)
		if got, want := s.put(t), s.kmsgBytes(); !bytes.Equal(got, want) {
			t.Fatalf("%+v: got %x, want %x", s, got, want)
		}
	}
}

// randomSample draws every size with the same chance per varint length.
func randomSample(rng *rand.Rand) sample {
	field := func() []byte {
		switch n := rng.IntN(8); n {
		case 0:
			return nil
		case 1:
			return []byte{}
		default:
			return fill(rng.IntN(1 << (2 * n)))
		}
	}
	s := sample{
		offsetDelta:    int32(rng.Uint32() >> (1 + rng.IntN(31))),
		timestampDelta: int64(rng.Uint64()) >> rng.IntN(64),
		key:            field(), value: field(),
	}
	for range max(0, rng.IntN(8)-4) {
		s.headers = append(s.headers, Header{Key: string(field()), Value: field()})
	}
	return s
}

func TestPayloadSizeIsIndependentOfTheDeltas(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			payload := PayloadSize(s.key, s.value, s.headers)
			r, rest, err := NextRecord(s.put(t))
			if err != nil || len(rest) != 0 {
				t.Fatalf("NextRecord: %v, %d bytes left", err, len(rest))
			}
			if payload != len(r.Payload) {
				t.Errorf("PayloadSize = %d, the payload has %d bytes", payload, len(r.Payload))
			}
		})
	}
}
