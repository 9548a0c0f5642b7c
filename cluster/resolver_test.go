package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
)

// names is a name server whose answer can change.
type names struct {
	addresses []string
	err       error
}

func (n *names) lookup(context.Context, string) ([]string, error) { return n.addresses, n.err }

func TestResolver(t *testing.T) {
	errServer := errors.New("SERVFAIL")
	good := names{addresses: []string{"10.0.0.1", "10.0.0.2", "::1"}}
	tests := []struct {
		name   string
		before func(r *Resolver)
		then   names
		host   string
		want   []string
		err    bool
	}{
		{name: "answer", then: good, want: good.addresses},
		{name: "changed", then: names{addresses: []string{"10.9.9.9"}}, want: []string{"10.9.9.9"}},
		{name: "last good while the server fails", then: names{err: errServer}, want: good.addresses},
		{name: "last good when the answer is empty", then: names{}, want: good.addresses},
		{name: "unknown host and failure", host: "other", then: names{err: errServer}, err: true},
		{name: "unknown host and empty answer", host: "other", then: names{}, err: true},
		{name: "IPv4 needs no server", host: "127.0.0.1", then: names{err: errServer}, want: []string{"127.0.0.1"}},
		{name: "IPv6 needs no server", host: "fe80::1%lo", then: names{err: errServer}, want: []string{"fe80::1%lo"}},
		{
			name:   "failed address comes last",
			before: func(r *Resolver) { r.failed("host", "10.0.0.1") },
			then:   good, want: []string{"10.0.0.2", "::1", "10.0.0.1"},
		},
		{
			name: "forgiven when it works",
			before: func(r *Resolver) {
				r.failed("host", "10.0.0.1")
				r.worked("host", "10.0.0.1")
			},
			then: good, want: good.addresses,
		},
		{
			name:   "failed address that is gone",
			before: func(r *Resolver) { r.failed("host", "10.0.0.77") },
			then:   good, want: good.addresses,
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			server := good
			r := NewResolver(server.lookup)
			if _, err := r.addresses(t.Context(), "host"); err != nil {
				t.Fatalf("first lookup: %v", err)
			}
			if tc.before != nil {
				tc.before(r)
			}
			server = tc.then
			host := tc.host
			if host == "" {
				host = "host"
			}
			got, err := r.addresses(t.Context(), host)
			if (err != nil) != tc.err || !slices.Equal(got, tc.want) {
				t.Errorf("addresses(%s) = %q, %v; want %q, error %v", host, got, err, tc.want, tc.err)
			}
		})
	}
}

func TestResolverForgetsWhenTooMany(t *testing.T) {
	r := NewResolver((&names{addresses: []string{"10.0.0.1"}}).lookup)
	for i := range 3 * maxResolverHosts {
		if _, err := r.addresses(t.Context(), fmt.Sprintf("h%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(r.hosts); n > maxResolverHosts {
		t.Errorf("the resolver remembers %d hosts, want at most %d", n, maxResolverHosts)
	}
}

func TestConnectTriesEveryAddress(t *testing.T) {
	b := newBroker("10.0.0.3:9092")
	w := newWorld(b)
	cfg := w.config()
	cfg.Resolver = NewResolver((&names{addresses: []string{"10.0.0.1", "::1", "10.0.0.3"}}).lookup)
	link, err := Connect(t.Context(), cfg, "kafka:9092")
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	defer link.Close()
	if w.refusals("10.0.0.1:9092") != 1 || w.refusals("[::1]:9092") != 1 {
		t.Errorf("the dead addresses were dialled %v times, want once each", w.refused)
	}
	if link.Address != "kafka:9092" {
		t.Errorf("Address = %q, want the one asked for", link.Address)
	}
	w.set("10.0.0.3:9092", nil)
	if _, err := Connect(t.Context(), cfg, "kafka:9092"); err == nil {
		t.Error("Connect succeeded though no address answers")
	}
}

func TestConnectUnknownHost(t *testing.T) {
	cfg := newWorld().config()
	cfg.Resolver = NewResolver((&names{err: &net.DNSError{Name: "nowhere", IsNotFound: true}}).lookup)
	_, err := Connect(t.Context(), cfg, "nowhere:1")
	if dns := (*net.DNSError)(nil); !errors.As(err, &dns) {
		t.Errorf("Connect error = %v, want a DNS error", err)
	}
	if got := cause(err); got != "host name nowhere is unknown" {
		t.Errorf("cause = %q", got)
	}
}
