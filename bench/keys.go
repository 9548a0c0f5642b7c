package bench

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

type keyKind uint8

const (
	keysNone keyKind = iota
	keysSeq
	keysUniform
	keysZipf
)

// keySize is a key as it goes on the wire: 16 hex digits.
const keySize = 16

// maxKeys bounds the table of keys: 16 bytes each.
const maxKeys = 4 << 20

// Keys says which keys the records carry.
type Keys struct {
	spec string
	kind keyKind
	n    int
	skew float64
}

// ParseKeys reads none, seq, uniform:N or zipf:N[,s].
func ParseKeys(s string) (Keys, error) {
	kind, rest, _ := strings.Cut(s, ":")
	k := Keys{spec: s}
	switch kind {
	case "none", "":
		k.spec, k.kind = "none", keysNone
	case "seq":
		k.kind = keysSeq
	case "uniform":
		k.kind = keysUniform
	case "zipf":
		k.kind, k.skew = keysZipf, 1
		if count, skew, found := strings.Cut(rest, ","); found {
			v, err := strconv.ParseFloat(skew, 64)
			if err != nil || !(v > 0 && v < 10) {
				return Keys{}, fmt.Errorf("keys %q: exponent %q is not a number between 0 and 10", s, skew)
			}
			rest, k.skew = count, v
		}
	default:
		return Keys{}, fmt.Errorf("keys %q is not none, seq, uniform:N or zipf:N,s", s)
	}
	if k.kind == keysUniform || k.kind == keysZipf {
		n, err := ParseCount(rest)
		if err != nil {
			return Keys{}, fmt.Errorf("keys %q: %w", s, err)
		}
		if n < 1 || n > maxKeys {
			return Keys{}, fmt.Errorf("keys %q: %d is outside 1 to %d", s, n, maxKeys)
		}
		k.n = int(n)
	} else if rest != "" {
		return Keys{}, fmt.Errorf("keys %q takes no argument", kind)
	}
	return k, nil
}

// String is the canonical spelling.
func (k Keys) String() string {
	if k.spec == "" {
		return "none"
	}
	return k.spec
}

// MarshalText carries the choice in a plan.
func (k Keys) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (k *Keys) UnmarshalText(text []byte) error {
	parsed, err := ParseKeys(string(text))
	*k = parsed
	return err
}

// keyTable holds every key, made before the first record. It is shared by all
// senders and never written again, so clients that retain keys may do so.
type keyTable struct {
	kind  keyKind
	bytes []byte
	// cumulative is the distribution function of a zipf choice.
	cumulative []float64
	n          int
}

func newKeyTable(k Keys) *keyTable {
	t := &keyTable{kind: k.kind, n: k.n, bytes: make([]byte, k.n*keySize)}
	for i := range k.n {
		putKey(t.bytes[i*keySize:(i+1)*keySize], uint64(i))
	}
	if k.kind == keysZipf {
		t.cumulative = make([]float64, k.n)
		sum := 0.0
		for i := range t.cumulative {
			sum += math.Pow(float64(i+1), -k.skew)
			t.cumulative[i] = sum
		}
	}
	return t
}

// pick returns the key of the next record. scratch is used by seq keys only,
// and must be as stable as the client needs it.
func (t *keyTable) pick(r *rng, seq uint64, scratch []byte) []byte {
	i := 0
	switch t.kind {
	case keysNone:
		return nil
	case keysSeq:
		putKey(scratch, seq)
		return scratch
	case keysUniform:
		i = int(r.below(uint64(t.n)))
	case keysZipf:
		i = sort.SearchFloat64s(t.cumulative, r.unit()*t.cumulative[t.n-1])
		i = min(i, t.n-1)
	}
	return t.bytes[i*keySize : (i+1)*keySize : (i+1)*keySize]
}

// putKey writes v as hex digits; v is mixed first so that neighbours differ in
// every digit, as real keys do.
func putKey(dst []byte, v uint64) {
	const digits = "0123456789abcdef"
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], mix64(v))
	for i, b := range raw {
		dst[2*i], dst[2*i+1] = digits[b>>4], digits[b&15]
	}
}
