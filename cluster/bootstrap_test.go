package cluster

import (
	"net"
	"slices"
	"strings"
	"testing"
)

func TestParseBootstrap(t *testing.T) {
	tests := []struct {
		name string
		list []string
		want []string
		errs []string // parts of the message; nil for no error
	}{
		{name: "plain", list: []string{"a:9092", "b:9093"}, want: []string{"a:9092", "b:9093"}},
		{name: "commas and spaces", list: []string{" a:1 , b:2,", "c:3"}, want: []string{"a:1", "b:2", "c:3"}},
		{name: "duplicates", list: []string{"a:1", "A:1,a:01", "a:2"}, want: []string{"a:1", "a:2"}},
		{name: "IPv6", list: []string{"[::1]:9092", "[fe80::1%eth0]:1"}, want: []string{"[::1]:9092", "[fe80::1%eth0]:1"}},
		{name: "prefix", list: []string{"PLAINTEXT://a:1", "plaintext://b:2/"}, want: []string{"a:1", "b:2"}},
		{name: "empty list", errs: []string{"at least one broker"}},
		{name: "blank entries", list: []string{"", " , "}, errs: []string{"at least one broker"}},
		{name: "no port", list: []string{"localhost"}, errs: []string{`"localhost"`, "localhost:9092"}},
		{name: "no port, IPv6", list: []string{"::1"}, errs: []string{"[::1]:9092"}},
		{name: "no port, IPv6 in brackets", list: []string{"[::1]"}, errs: []string{"[::1]:9092"}},
		{name: "bare IPv6 with port", list: []string{"2001:db8::7777:zz:9092"}, errs: []string{"brackets"}},
		{name: "empty port", list: []string{"a:"}, errs: []string{"1 to 65535"}},
		{name: "port 0", list: []string{"a:0"}, errs: []string{"1 to 65535"}},
		{name: "port 65536", list: []string{"a:65536"}, errs: []string{"1 to 65535"}},
		{name: "negative port", list: []string{"a:-1"}, errs: []string{"1 to 65535"}},
		{name: "named port", list: []string{"a:http"}, errs: []string{`"http"`}},
		{name: "no host", list: []string{":9092"}, errs: []string{"host name"}},
		{name: "space in host", list: []string{"a b:1"}, errs: []string{"host name"}},
		{name: "long host", list: []string{strings.Repeat("a", 256) + ":1"}, errs: []string{"host name"}},
		{name: "TLS", list: []string{"SSL://a:1"}, errs: []string{"SSL is not supported"}},
		{name: "URL", list: []string{"http://a:1"}, errs: []string{"http is not supported"}},
		{name: "all faults at once", list: []string{"a", "b:1", "c:x"}, errs: []string{`"a"`, `"c:x"`}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseBootstrap(tc.list)
			if (err != nil) != (tc.errs != nil) {
				t.Fatalf("ParseBootstrap(%q) error = %v, want error %v", tc.list, err, tc.errs != nil)
			}
			for _, part := range tc.errs {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
			if err == nil && !slices.Equal(got, tc.want) {
				t.Errorf("ParseBootstrap(%q) = %q, want %q", tc.list, got, tc.want)
			}
		})
	}
}

func FuzzParseBootstrap(f *testing.F) {
	for _, seed := range []string{"a:1", "[::1]:9092", "PLAINTEXT://x:2,", "::", "[%]:1", "a:1,b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		addresses, err := ParseBootstrap([]string{entry})
		if err != nil {
			return
		}
		for _, address := range addresses {
			host, _, err := net.SplitHostPort(address)
			if err != nil || host == "" {
				t.Errorf("ParseBootstrap(%q) yields %q, which cannot be dialled: %v", entry, address, err)
			}
		}
		again, err := ParseBootstrap(addresses)
		if err != nil || !slices.Equal(again, addresses) {
			t.Errorf("ParseBootstrap(%q) = %q, %v, not itself", addresses, again, err)
		}
	})
}
