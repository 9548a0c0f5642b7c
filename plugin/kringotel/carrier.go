package kringotel

import (
	"slices"

	"go.opentelemetry.io/otel/propagation"

	"github.com/kring-go/kring"
)

// Carrier is a list of headers as a propagator reads and writes it. The zero
// Carrier is empty. It is for one goroutine at a time.
type Carrier struct {
	// Headers are the record's. Set changes the slice, and the headers in it.
	Headers []kring.Header
}

var _ propagation.TextMapCarrier = (*Carrier)(nil)

// propagated is how many headers a propagator usually adds: traceparent,
// tracestate, baggage.
const propagated = 3

// NewCarrier makes a Carrier with a copy of headers and room for what a
// propagator adds, so that the caller's slice, which may serve many records,
// stays as it is.
func NewCarrier(headers []kring.Header) *Carrier {
	own := make([]kring.Header, len(headers), len(headers)+propagated)
	copy(own, headers)
	return &Carrier{own}
}

// Get returns the value of the last header of that name: the one that whoever
// wrote last has added. It is empty if there is none, and allocates only if
// there is one.
func (c *Carrier) Get(key string) string {
	if i := c.last(key); i >= 0 {
		return string(c.Headers[i].Value)
	}
	return ""
}

// Set gives the header of that name the value. Where Kafka has several, one is
// left.
func (c *Carrier) Set(key, value string) {
	header := kring.Header{Key: key, Value: []byte(value)}
	i := c.last(key)
	if i < 0 {
		c.Headers = append(c.Headers, header)
		return
	}
	c.Headers[i] = header
	kept := slices.DeleteFunc(c.Headers[:i], func(h kring.Header) bool { return h.Key == key })
	c.Headers = append(kept, c.Headers[i:]...)
}

// Keys lists the names of the headers, each once.
func (c *Carrier) Keys() []string {
	var keys []string
	for i := range c.Headers {
		if key := c.Headers[i].Key; !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// last is the index of the last header of that name, or -1.
func (c *Carrier) last(key string) int {
	for i := len(c.Headers) - 1; i >= 0; i-- {
		if c.Headers[i].Key == key {
			return i
		}
	}
	return -1
}
