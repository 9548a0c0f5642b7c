package cluster

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
)

// maxResolverHosts bounds what a Resolver remembers; brokers name hosts, and a
// lying one could name another host each time.
const maxResolverHosts = 1024

// LookupFunc returns the IP addresses of a host name.
type LookupFunc func(ctx context.Context, host string) ([]string, error)

// Resolver finds the addresses of hosts and remembers two things about each:
// the last good answer, which serves while the name server fails, and which
// address failed last, which is then tried last. It may be used concurrently.
type Resolver struct {
	lookup LookupFunc

	mu    sync.Mutex
	hosts map[string]*hostMemory // guarded by mu
}

type hostMemory struct {
	addresses []string
	failed    string
}

// NewResolver returns a Resolver over lookup, or over the system's if nil.
func NewResolver(lookup LookupFunc) *Resolver {
	if lookup == nil {
		lookup = net.DefaultResolver.LookupHost
	}
	return &Resolver{lookup: lookup, hosts: make(map[string]*hostMemory)}
}

// addresses returns where to dial host, best first; never none without an
// error.
func (r *Resolver) addresses(ctx context.Context, host string) ([]string, error) {
	if net.ParseIP(host) != nil || isIPv6(host) {
		return []string{host}, nil
	}
	found, err := r.lookup(ctx, host)
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.hosts[host]
	switch {
	case err == nil && len(found) > 0:
		known = r.rememberLocked(host, found)
	case known != nil:
		// The last good answer is a better guess than none.
	case err == nil:
		return nil, &net.DNSError{Err: "the name server knows no address", Name: host, IsNotFound: true}
	default:
		return nil, fmt.Errorf("looking up %s: %w", host, err)
	}
	return known.inOrder(), nil
}

func (r *Resolver) rememberLocked(host string, found []string) *hostMemory {
	memory := r.hosts[host]
	if memory == nil {
		if len(r.hosts) >= maxResolverHosts {
			clear(r.hosts)
		}
		memory = new(hostMemory)
		r.hosts[host] = memory
	}
	memory.addresses = slices.Clone(found)
	return memory
}

// inOrder returns the addresses with the one that failed last at the end.
func (m *hostMemory) inOrder() []string {
	ordered := slices.Clone(m.addresses)
	if i := slices.Index(ordered, m.failed); i >= 0 {
		ordered = append(slices.Delete(ordered, i, i+1), m.failed)
	}
	return ordered
}

// failed notes that address of host did not work.
func (r *Resolver) failed(host, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if memory := r.hosts[host]; memory != nil {
		memory.failed = address
	}
}

// worked forgets that address of host failed.
func (r *Resolver) worked(host, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if memory := r.hosts[host]; memory != nil && memory.failed == address {
		memory.failed = ""
	}
}
