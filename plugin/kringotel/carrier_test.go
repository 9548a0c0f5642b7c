package kringotel_test

import (
	"fmt"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringotel"
)

func header(key, value string) kring.Header { return kring.Header{Key: key, Value: []byte(value)} }

func text(headers []kring.Header) string {
	out := ""
	for _, h := range headers {
		out += fmt.Sprintf("%s=%s ", h.Key, h.Value)
	}
	return out
}

func TestCarrier(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []kring.Header
		do   func(*kringotel.Carrier)
		want string
	}{
		{"set in nothing", nil, func(c *kringotel.Carrier) { c.Set("a", "1") }, "a=1 "},
		{"set behind", []kring.Header{header("b", "2")}, func(c *kringotel.Carrier) { c.Set("a", "1") }, "b=2 a=1 "},
		{"set again", []kring.Header{header("a", "0"), header("b", "2")}, func(c *kringotel.Carrier) { c.Set("a", "1") }, "a=1 b=2 "},
		{
			"set where there are several",
			[]kring.Header{header("a", "0"), header("b", "2"), header("a", "3"), header("c", "4")},
			func(c *kringotel.Carrier) { c.Set("a", "1") }, "b=2 a=1 c=4 ",
		},
		{"set to nothing", []kring.Header{header("a", "0")}, func(c *kringotel.Carrier) { c.Set("a", "") }, "a= "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := text(tc.in)
			c := kringotel.NewCarrier(tc.in)
			tc.do(c)
			if got := text(c.Headers); got != tc.want {
				t.Errorf("headers %q, want %q", got, tc.want)
			}
			if got := text(tc.in); got != before {
				t.Errorf("the caller's headers became %q, they were %q", got, before)
			}
		})
	}
	c := kringotel.NewCarrier([]kring.Header{header("a", "1"), header("b", "2"), header("a", "3")})
	if got := c.Get("a"); got != "3" {
		t.Errorf("Get returned %q, want the last: 3", got)
	}
	if got := c.Get("c"); got != "" {
		t.Errorf("Get of nothing returned %q", got)
	}
	if got := fmt.Sprint(c.Keys()); got != "[a b]" {
		t.Errorf("Keys returned %s", got)
	}
	var zero kringotel.Carrier
	if zero.Get("a") != "" || zero.Keys() != nil {
		t.Error("the zero Carrier is not empty")
	}
}
