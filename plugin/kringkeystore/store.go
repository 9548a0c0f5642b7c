package kringkeystore

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxStore bounds what is read of a file: the authorities that come with a JDK
// take a quarter of a MiB.
const maxStore = 4 << 20

// Store is one file of Java's, and how to open it. Printed, it shows no password:
// those lie in functions.
type Store struct {
	// Path is the file, at most 4 MiB. Java: ssl.keystore.location,
	// ssl.truststore.location.
	Path string
	// Type is JKS or PKCS12, in upper or lower case; empty: JKS. Either takes a file
	// of the other format, as in Java. Java: ssl.keystore.type, ssl.truststore.type.
	Type string
	// Password opens the file; nil: none. A trust store in JKS needs none; with one
	// the file is checked for changes. It is called when the file has changed, so
	// it may follow a password that changes, too; Secret is one that does not.
	// Java: ssl.keystore.password, ssl.truststore.password.
	Password func() (string, error)
	// KeyPassword opens the private keys in it; nil: Password. Java:
	// ssl.key.password.
	KeyPassword func() (string, error)

	name string // how errors call it
}

// Secret is a password that never changes.
func Secret(text string) func() (string, error) {
	return func() (string, error) { return text, nil }
}

// Load reads the private keys of a key store with their certificates, ordered by
// alias. There is at least one.
func Load(s Store) ([]tls.Certificate, error) { return load(s, "key store", keys) }

// LoadTrust reads the authorities of a trust store. There is at least one.
func LoadTrust(s Store) (*x509.CertPool, error) { return load(s, "trust store", authorities) }

func load[T any](s Store, name string, parse func([]byte, passwords) (T, error)) (made T, err error) {
	if s.name == "" {
		s.name = name
	}
	data, err := s.read()
	if err != nil {
		return made, err
	}
	return open(s, data, parse)
}

// passwords are those of one Store, for as long as it is parsed.
type passwords struct{ store, key string }

// open makes something of a file's content.
func open[T any](s Store, data []byte, parse func([]byte, passwords) (T, error)) (made T, err error) {
	open, err := s.passwords()
	if err == nil {
		made, err = safely(func() (T, error) { return parse(data, open) })
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", s.name, s.Path, err)
	}
	return made, err
}

func (s Store) passwords() (p passwords, err error) {
	if s.Password != nil {
		if p.store, err = s.Password(); err != nil {
			return p, fmt.Errorf("its password: %w", err)
		}
	}
	p.key = p.store
	if s.KeyPassword != nil {
		if p.key, err = s.KeyPassword(); err != nil {
			return p, fmt.Errorf("the password of its keys: %w", err)
		}
	}
	return p, nil
}

// safely turns a panic into an error: the libraries trust some lengths in the
// files that they read.
func safely[T any](f func() (T, error)) (made T, err error) {
	defer func() {
		if recover() != nil {
			err = errDamaged
		}
	}()
	return f()
}

var (
	errDamaged    = errors.New("the file is damaged")
	errPassword   = errors.New("the password is wrong, or the file is damaged")
	errNoPassword = errors.New("its password is missing")
	errNoKey      = errors.New("it has no private key; is it a trust store?")
	errNoTrust    = errors.New("it has no trusted certificate")
)

// read returns the bounded content of the file.
func (s Store) read() ([]byte, error) {
	switch strings.ToUpper(s.Type) {
	case "", "JKS", "PKCS12":
	default:
		return nil, fmt.Errorf("%s %s: its type must be JKS or PKCS12", s.name, s.Path)
	}
	data, err := readBounded(s.Path)
	path := (*fs.PathError)(nil)
	if errors.As(err, &path) {
		err = path.Err // the path is named once
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.name, s.Path, err)
	}
	return data, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxStore+1))
	if err == nil && len(data) > maxStore {
		err = fmt.Errorf("it has more than %d bytes, which no key store has", maxStore)
	}
	return data, err
}

// isJKS tells the two formats apart, and what is neither. Java calls either by
// either name.
func isJKS(data []byte) (bool, error) {
	switch {
	case len(data) == 0:
		return false, errors.New("the file is empty")
	case bytes.HasPrefix(data, []byte("\xfe\xed\xfe\xed")):
		return true, nil
	case bytes.HasPrefix(data, []byte("\xce\xce\xce\xce")):
		return false, errors.New("JCEKS is not supported; keytool -importkeystore -deststoretype PKCS12 converts it")
	case data[0] == 0x30: // a SEQUENCE
		return false, nil
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return false, errors.New("the file is PEM; set its type to PEM, or use kring.TLSFiles")
	}
	return false, errors.New("the file is neither JKS nor PKCS12")
}

func keys(data []byte, open passwords) ([]tls.Certificate, error) {
	jks, err := isJKS(data)
	if err != nil {
		return nil, err
	}
	read := pkcs12Keys
	if jks {
		read = jksKeys
	}
	entries, err := read(data, open)
	if err != nil {
		return nil, err
	}
	var list []tls.Certificate
	for _, e := range entries {
		list = append(list, e.certificate())
	}
	return list, nil
}

func authorities(data []byte, open passwords) (*x509.CertPool, error) {
	jks, err := isJKS(data)
	if err != nil {
		return nil, err
	}
	read := pkcs12Authorities
	if jks {
		read = jksAuthorities
	}
	trusted, err := read(data, open)
	switch {
	case err != nil:
		return nil, err
	case len(trusted) == 0:
		return nil, errNoTrust
	}
	pool := x509.NewCertPool()
	for _, c := range trusted {
		pool.AddCert(c)
	}
	return pool, nil
}
