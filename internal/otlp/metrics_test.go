package otlp

import (
	"bytes"
	"testing"
	"time"
)

// TestAppend compares with bytes that were put together by hand; that they mean
// what they should is tested in the module tests, with OpenTelemetry's code.
func TestAppend(t *testing.T) {
	d := Data{ScopeName: "s", Metrics: []Metric{{Name: "n", Sum: true, Delta: true, Points: []Point{{
		Start: time.Unix(0, 1), Time: time.Unix(0, 2), Count: 3,
	}}}}}
	point := []byte{0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x19, 2, 0, 0, 0, 0, 0, 0, 0, 0x31, 3, 0, 0, 0, 0, 0, 0, 0}
	sum := append(append([]byte{0x0a, byte(len(point))}, point...), 0x10, 1, 0x18, 1)
	metric := append([]byte{0x0a, 1, 'n', 0x1a, 0, 0x3a, byte(len(sum))}, sum...)
	scope := append([]byte{0x0a, 5, 0x0a, 1, 's', 0x12, 0, 0x12, byte(len(metric))}, metric...)
	resource := append([]byte{0x0a, 0, 0x12, byte(len(scope))}, scope...)
	want := append([]byte{'x', 0x0a, byte(len(resource))}, resource...)
	if got := d.Append([]byte("x")); !bytes.Equal(got, want) {
		t.Errorf("got\n%x, want\n%x", got, want)
	}
}

// TestLongMessages: a length of two bytes moves what it stands before.
func TestLongMessages(t *testing.T) {
	body := bytes.Repeat([]byte("0123456789"), 20)
	got := message(nil, 1, func(dst []byte) []byte { return append(dst, body...) })
	if want := append([]byte{0x0a, 0xc8, 0x01}, body...); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTextIsUTF8(t *testing.T) {
	if got, want := text(nil, 1, "a\xff"), []byte("\x0a\x04a\uFFFD"); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
