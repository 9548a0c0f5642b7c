package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

func TestUvarintSize(t *testing.T) {
	check := func(x uint64) {
		var buf [binary.MaxVarintLen64]byte
		if got, want := uvarintSize(x), binary.PutUvarint(buf[:], x); got != want {
			t.Errorf("uvarintSize(%#x) = %d, want %d", x, got, want)
		}
	}
	for x := range uint64(1 << 15) {
		check(x)
	}
	for shift := range 64 {
		for _, x := range []uint64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			check(x)
		}
	}
	check(math.MaxUint64)
}

func TestVarintRoundTrip(t *testing.T) {
	for shift := range 64 {
		for _, x := range []int64{1<<shift - 1, 1 << shift, -1 << shift, -1<<shift - 1} {
			var want, buf [binary.MaxVarintLen64]byte
			n := binary.PutVarint(want[:], x)
			if m := putUvarint(buf[:], zigzag64(x)); m != n || buf != want {
				t.Errorf("%d: wrote %x, want %x", x, buf[:m], want[:n])
			}
			if y, m := varint64(buf[:n]); y != x || m != n {
				t.Errorf("varint64(%x) = %d, %d, want %d, %d", buf[:n], y, m, x, n)
			}
			if x != int64(int32(x)) {
				if y, m := varint32(buf[:n]); m != 0 {
					t.Errorf("varint32(%x) = %d, want a refusal", buf[:n], y)
				}
				continue
			}
			if got := uint64(zigzag32(int32(x))); got != zigzag64(x) {
				t.Errorf("zigzag32(%d) = %d, want %d", x, got, zigzag64(x))
			}
			if y, m := varint32(buf[:n]); int64(y) != x || m != n {
				t.Errorf("varint32(%x) = %d, %d, want %d, %d", buf[:n], y, m, x, n)
			}
			if got := appendUvarint(nil, zigzag32(int32(x))); string(got) != string(want[:n]) {
				t.Errorf("appendUvarint = %x, want %x", got, want[:n])
			}
		}
	}
}

func TestVarintRefusals(t *testing.T) {
	for _, tc := range []struct {
		in       string
		n32, n64 int
	}{
		{in: "", n32: 0, n64: 0},
		{in: "\x80", n32: 0, n64: 0},
		{in: "\x80\x80\x80\x80", n32: 0, n64: 0},
		{in: "\x80\x00", n32: 2, n64: 2}, // longer than necessary
		{in: "\xff\xff\xff\xff\x0f", n32: 5, n64: 5},
		{in: "\xff\xff\xff\xff\x1f", n32: 0, n64: 5},
		{in: "\x80\x80\x80\x80\x80\x00", n32: 0, n64: 6},
		{in: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", n32: 0, n64: 10},
		{in: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", n32: 0, n64: 0},
		{in: "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", n32: 0, n64: 0},
	} {
		t.Run(fmt.Sprintf("%x", tc.in), func(t *testing.T) {
			if x, n := uvarint32([]byte(tc.in)); n != tc.n32 {
				t.Errorf("uvarint32 = %d, %d, want size %d", x, n, tc.n32)
			}
			if x, n := uvarint64([]byte(tc.in)); n != tc.n64 {
				t.Errorf("uvarint64 = %d, %d, want size %d", x, n, tc.n64)
			}
		})
	}
}
