package kring

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// maxPEM bounds what is read of a PEM file, far above any list of authorities.
const maxPEM = 4 << 20

// pemText is where PEM comes from: a file, or the text itself, which may be a
// private key and so lies in a closure.
type pemText struct {
	words string // names it in problems
	read  func() ([]byte, error)
}

func (p pemText) given() bool { return p.read != nil }

// ofProperty reports text of a property, whose type must have been said.
func (p pemText) ofProperty() bool { return p.given() && strings.HasPrefix(p.words, "ssl.") }

// pemFile is a file; none if path is empty.
func pemFile(words, path string) pemText {
	if path == "" {
		return pemText{}
	}
	return pemText{words, func() ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", words, err)
		}
		defer func() { _ = f.Close() }() // it was only read
		text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", words, err)
		case len(text) > maxPEM:
			return nil, fmt.Errorf("%s: %s has more than %d bytes, which no PEM file has", words, path, maxPEM)
		}
		return text, nil
	}}
}

// pemValue is PEM that a property holds itself.
func pemValue(words, text string) pemText {
	if text == "" {
		return pemText{}
	}
	return pemText{words, func() ([]byte, error) { return []byte(text), nil }}
}

// tlsSource makes the tls.Config of each connection.
type tlsSource struct {
	base              *tls.Config // never changed
	trust, chain, key pemText
	stores            storeSource // nil: none
	log               *slog.Logger

	mu     sync.Mutex // for connections that are set up at one time
	sum    [sha256.Size]byte
	failed string      // the last failure that was logged
	last   *tls.Config // made of sum
}

func newTLSSource(s *security, log *slog.Logger) (*tlsSource, error) {
	base := &tls.Config{}
	if s.config != nil {
		base = s.config.Clone()
	}
	if base.MinVersion == 0 {
		base.MinVersion = max(s.leastTLS, tls.VersionTLS12)
	}
	if base.MaxVersion == 0 {
		base.MaxVersion = s.mostTLS
	}
	if s.skipVerify {
		base.InsecureSkipVerify = true
	}
	source := &tlsSource{base: base, trust: s.trust, chain: s.chain, key: s.key, stores: s.stores, log: log}
	_, err := source.get()
	return source, err
}

// get returns what the files make now, or what they made when they last made
// sense: a rotation replaces them one after the other.
func (s *tlsSource) get() (*tls.Config, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.refreshLocked()
	if err != nil && s.last == nil {
		return nil, err
	}
	if err != nil && err.Error() != s.failed {
		s.log.Warn("kring: new TLS files can not be used, the ones of before stay", "error", err)
	}
	s.failed = ""
	if err != nil {
		s.failed = err.Error()
	}
	return s.last, nil
}

func (s *tlsSource) refreshLocked() error {
	texts := make([][]byte, 3)
	sum := sha256.New()
	for i, p := range []pemText{s.trust, s.chain, s.key} {
		if p.given() {
			text, err := p.read()
			if err != nil {
				return err
			}
			texts[i] = text
		}
		one := sha256.Sum256(texts[i])
		sum.Write(one[:])
	}
	now := [sha256.Size]byte(sum.Sum(nil))
	if s.last != nil && now == s.sum && s.stores == nil {
		return nil
	}
	made, err := s.build(texts[0], texts[1], texts[2])
	if err == nil && s.stores != nil {
		err = s.addStores(made)
	}
	if err == nil {
		s.last, s.sum = made, now
	}
	return err
}

// build makes a tls.Config of the texts. The caller has checked that chain and
// key come together.
func (s *tlsSource) build(trust, chain, key []byte) (*tls.Config, error) {
	made := s.base.Clone()
	if s.trust.given() {
		made.RootCAs = x509.NewCertPool()
		if !made.RootCAs.AppendCertsFromPEM(trust) {
			return nil, fmt.Errorf("%s: no certificate was found; want PEM, which begins with -----BEGIN CERTIFICATE-----", s.trust.words)
		}
	}
	if !s.chain.given() {
		return made, nil
	}
	if bytes.Contains(key, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) || bytes.Contains(key, []byte("Proc-Type: 4,ENCRYPTED")) {
		return nil, fmt.Errorf("%s: the private key is encrypted, which is not supported; decrypt it (openssl pkey) and protect the file instead", s.key.words)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s: the client certificate and its key can not be used: %w", s.chain.words, plainReason(err))
	}
	made.Certificates = nil
	// Sent whatever authorities the broker names: left to itself, crypto/tls
	// sends none that it thinks the broker would not take, and the broker then
	// complains of a missing certificate instead of a wrong one.
	made.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	return made, nil
}

// storeSource is what TLSStores is given.
type storeSource func() (trust *x509.CertPool, keys []tls.Certificate, err error)

// addStores puts into made what a function has at the moment.
func (s *tlsSource) addStores(made *tls.Config) error {
	trust, keys, err := s.stores()
	if err != nil {
		return fmt.Errorf("TLSStores: %w", err)
	}
	switch {
	case trust != nil && s.trust.given():
		return fmt.Errorf("TLSStores and %s both say which authorities are trusted; one of them is enough", s.trust.words)
	case len(keys) > 0 && s.chain.given():
		return fmt.Errorf("TLSStores and %s both give a client certificate; one of them is enough", s.chain.words)
	}
	for i := range keys {
		if len(keys[i].Certificate) == 0 || keys[i].PrivateKey == nil {
			return fmt.Errorf("TLSStores: client certificate %d of %d lacks its chain or its private key", i+1, len(keys))
		}
	}
	if trust != nil {
		made.RootCAs = trust
	}
	if len(keys) > 0 {
		made.Certificates = nil
		made.GetClientCertificate = firstThatFits(keys)
	}
	return nil
}

// firstThatFits chooses as Java does, except that the broker is sent the first
// where none fits: it then names what is wrong with it (see build).
func firstThatFits(keys []tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		for i := range keys {
			if asked.SupportsCertificate(&keys[i]) == nil {
				return &keys[i], nil
			}
		}
		return &keys[0], nil
	}
}

// plainReason leaves the prefix of crypto/tls out.
func plainReason(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "tls: ")) }
