package kringkeystore

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"sync"

	"github.com/kring-go/kring"
)

// TLS is kring.TLSFiles for Java's stores: the authorities that may sign the
// brokers' certificates, and, for brokers that want to know their clients (mTLS),
// the producer's certificate with its private key. A Store without a Path is left
// out: without trust the system's authorities count. Given with kring.TLS, the
// stores replace what its settings say of the same.
//
// The files are read for every new connection, so a store that is replaced on
// disk serves the connections after that. One that can not be used is logged, and
// the last good one is used; kring.New fails if there is no good one yet.
func TLS(trust, key Store) kring.Option {
	t := &watched[*x509.CertPool]{store: named(trust, "trust store"), parse: authorities}
	k := &watched[[]tls.Certificate]{store: named(key, "key store"), parse: keys}
	return kring.TLSStores(func() (*x509.CertPool, []tls.Certificate, error) {
		pool, err := t.get()
		if err != nil {
			return nil, nil, err
		}
		certificates, err := k.get()
		return pool, certificates, err
	})
}

func named(s Store, name string) Store {
	if s.name == "" {
		s.name = name
	}
	return s
}

// watched is a store that is read for every connection, and parsed when it has
// changed: to derive its keys takes milliseconds.
type watched[T any] struct {
	store Store
	parse func([]byte, passwords) (T, error)

	mu   sync.Mutex // several producers may share an option
	sum  [sha256.Size]byte
	made T // of sum
	done bool
}

// get returns the zero T for a Store that is left out.
func (w *watched[T]) get() (T, error) {
	var none T
	if w.store.Path == "" {
		return none, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	data, err := w.store.read()
	if err != nil {
		return none, err
	}
	sum := sha256.Sum256(data)
	if w.done && sum == w.sum {
		return w.made, nil
	}
	made, err := open(w.store, data, w.parse)
	if err != nil {
		return none, err
	}
	w.made, w.sum, w.done = made, sum, true
	return made, nil
}
