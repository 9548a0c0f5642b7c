package kringkeystore

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
)

// entry is a private key and the certificates for it, its own first.
type entry struct {
	alias string
	key   crypto.Signer
	chain []*x509.Certificate
}

// newEntry holds key and certificate against each other: TLS would do so with
// the first broker.
func newEntry(alias string, key any, chain []*x509.Certificate) (entry, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return entry{}, fmt.Errorf("entry %q: its private key is of a kind that TLS has no use for", alias)
	}
	if len(chain) == 0 || !fits(chain[0], signer) {
		return entry{}, fmt.Errorf("entry %q: its private key is without a certificate", alias)
	}
	return entry{alias, signer, chain}, nil
}

func (e entry) certificate() tls.Certificate {
	made := tls.Certificate{PrivateKey: e.key, Leaf: e.chain[0]}
	for _, c := range e.chain {
		made.Certificate = append(made.Certificate, c.Raw)
	}
	return made
}

// fits says whether a certificate is for a key.
func fits(c *x509.Certificate, key crypto.Signer) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// chainFor puts together what a PKCS12 holds without an order: the certificate
// for key, that of its issuer, and so on.
func chainFor(key any, certificates []*x509.Certificate) []*x509.Certificate {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil
	}
	for _, c := range certificates {
		if !fits(c, signer) {
			continue
		}
		chain := []*x509.Certificate{c}
		for len(chain) < len(certificates) { // a circle is left
			next := issuerOf(chain[len(chain)-1], certificates)
			if next == nil {
				break
			}
			chain = append(chain, next)
		}
		return chain
	}
	return nil
}

// issuerOf finds it by name, as Java does, and by its key's identifier if both
// have one: a renewed authority keeps its name. It returns nil for the end of a
// chain; what has signed itself is one.
func issuerOf(c *x509.Certificate, certificates []*x509.Certificate) *x509.Certificate {
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		return nil
	}
	for _, issuer := range certificates {
		own, wanted := issuer.SubjectKeyId, c.AuthorityKeyId
		if bytes.Equal(issuer.RawSubject, c.RawIssuer) && (len(own) == 0 || len(wanted) == 0 || bytes.Equal(own, wanted)) {
			return issuer
		}
	}
	return nil
}

// parse reads one certificate.
func parse(alias string, der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("entry %q: its certificate can not be read (%w); keytool -delete -alias removes the entry", alias, err)
	}
	return c, nil
}

var errKeyPassword = errors.New("the password of the private key is wrong, or the key is damaged")
