package kring

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestTarget(t *testing.T) {
	tests := []struct {
		name      string
		target    Target
		partition int32
		ok, valid bool
		text      string
	}{
		{name: "zero value", partition: -1, valid: true, text: "any partition"},
		{name: "first", target: On(0), partition: 0, ok: true, valid: true, text: "partition 0"},
		{name: "some", target: On(41), partition: 41, ok: true, valid: true, text: "partition 41"},
		{name: "last", target: On(math.MaxInt32 - 1), partition: math.MaxInt32 - 1, ok: true, valid: true, text: "partition 2147483646"},
		{name: "one too many", target: On(math.MaxInt32), partition: math.MinInt32, ok: true, text: "partition -2147483648"},
		{name: "minus one is not any", target: On(-1), partition: -1, ok: true, text: "partition -1"},
		{name: "negative", target: On(-5), partition: -5, ok: true, text: "partition -5"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			partition, ok, valid := tc.target.explicit()
			if partition != tc.partition || ok != tc.ok || valid != tc.valid {
				t.Errorf("explicit() = %d, %v, %v, want %d, %v, %v", partition, ok, valid, tc.partition, tc.ok, tc.valid)
			}
			if got := tc.target.String(); got != tc.text {
				t.Errorf("String() = %q, want %q", got, tc.text)
			}
		})
	}
}

func TestCheckTopic(t *testing.T) {
	tests := []struct {
		topic string
		want  string // part of the error; none if empty
	}{
		{topic: "orders"},
		{topic: "A.b_c-9"},
		{topic: "..."},
		{topic: strings.Repeat("t", 249)},
		{topic: "", want: "empty"},
		{topic: ".", want: "[a-zA-Z0-9._-]"},
		{topic: "..", want: "[a-zA-Z0-9._-]"},
		{topic: strings.Repeat("t", 250), want: "250 characters"},
		{topic: "a b", want: `"a b"`},
		{topic: "a/b", want: `"a/b"`},
		{topic: "ü", want: "want [a-zA-Z0-9._-]"},
		{topic: "a\x00", want: "want [a-zA-Z0-9._-]"},
	}
	for _, tc := range tests {
		t.Run(tc.topic, func(t *testing.T) {
			err := checkTopic(tc.topic)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("checkTopic: %v", err)
			case tc.want != "" && (!errors.Is(err, ErrInvalidTopic) || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("checkTopic = %v, want ErrInvalidTopic with %q", err, tc.want)
			}
		})
	}
	if n := testing.AllocsPerRun(100, func() { _ = checkTopic("orders") }); n != 0 {
		t.Errorf("%v allocations for a good name, want 0", n)
	}
}
