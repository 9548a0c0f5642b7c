package wire

import (
	"errors"
	"testing"
)

func TestResponseHeader(t *testing.T) {
	for _, tc := range []struct {
		name     string
		in       string
		flexible bool
		id       int32
		body     string
		bad      bool
	}{
		{name: "old", in: "\x00\x00\x00\x07abc", id: 7, body: "abc"},
		{name: "old, no body", in: "\xff\xff\xff\xff", id: -1},
		{name: "old, short", in: "\x00\x00\x00", bad: true},
		{name: "empty", in: "", bad: true},
		{name: "flexible", in: "\x00\x00\x00\x07\x00abc", flexible: true, id: 7, body: "abc"},
		{name: "flexible, a tag", in: "\x00\x00\x00\x07\x01\x05\x02xyabc", flexible: true, id: 7, body: "abc"},
		{name: "flexible, no tags", in: "\x00\x00\x00\x07", flexible: true, bad: true},
		{name: "flexible, 2^32-1 tags", in: "\x00\x00\x00\x07\xff\xff\xff\xff\x0fabc", flexible: true, bad: true},
		{name: "flexible, tag beyond the end", in: "\x00\x00\x00\x07\x01\x05\x09xyabc", flexible: true, bad: true},
		{name: "flexible, tag twice", in: "\x00\x00\x00\x07\x02\x05\x00\x05\x00abc", flexible: true, bad: true},
		{name: "flexible, tag of 2^32-1", in: "\x00\x00\x00\x07\x01\xff\xff\xff\xff\x0f\x00abc", flexible: true, id: 7, body: "abc"},
		{name: "flexible, tags after 2^32-1", in: "\x00\x00\x00\x07\x02\xff\xff\xff\xff\x0f\x00\x00\x00", flexible: true, bad: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, body, err := ResponseHeader([]byte(tc.in), tc.flexible)
			if tc.bad != errors.Is(err, ErrMalformed) || id != tc.id || string(body) != tc.body {
				t.Errorf("ResponseHeader = %d, %q, %v", id, body, err)
			}
		})
	}
}
