package kringkeystore

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
)

// jksKeys reads every private key of a JKS.
func jksKeys(data []byte, open passwords) ([]entry, error) {
	if open.store == "" {
		return nil, errNoPassword
	}
	store, err := readJKS(data, open.store)
	if err != nil {
		return nil, err
	}
	password, err := latin1(open.key)
	if err != nil {
		return nil, err
	}
	var list []entry
	for _, alias := range store.Aliases() {
		if !store.IsPrivateKeyEntry(alias) {
			continue
		}
		found, err := store.GetPrivateKeyEntry(alias, password)
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", alias, errKeyPassword)
		}
		key, err := x509.ParsePKCS8PrivateKey(found.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("entry %q: its private key can not be read: %w", alias, err)
		}
		chain, err := parseChain(alias, found.CertificateChain)
		if err != nil {
			return nil, err
		}
		e, err := newEntry(alias, key, chain)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, errNoKey
	}
	return list, nil
}

// jksAuthorities reads every certificate that a JKS says to trust. Java trusts
// those of the store's own keys as well.
func jksAuthorities(data []byte, open passwords) ([]*x509.Certificate, error) {
	store, err := readJKS(data, open.store)
	if err != nil {
		return nil, err
	}
	var list []*x509.Certificate
	for _, alias := range store.Aliases() {
		var found []keystore.Certificate
		if store.IsPrivateKeyEntry(alias) {
			if found, err = store.GetPrivateKeyEntryCertificateChain(alias); err != nil {
				return nil, err
			}
			found = found[:min(1, len(found))]
		} else {
			trusted, err := store.GetTrustedCertificateEntry(alias)
			if err != nil {
				return nil, err
			}
			found = append(found, trusted.Certificate)
		}
		parsed, err := parseChain(alias, found)
		if err != nil {
			return nil, err
		}
		list = append(list, parsed...)
	}
	return list, nil
}

func parseChain(alias string, found []keystore.Certificate) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for _, c := range found {
		parsed, err := parse(alias, c.Content)
		if err != nil {
			return nil, err
		}
		chain = append(chain, parsed)
	}
	return chain, nil
}

// readJKS reads a JKS whose lengths are known to be right. Without a password
// its digest says nothing, and is replaced by the one of an empty password.
func readJKS(data []byte, password string) (keystore.KeyStore, error) {
	store := keystore.New(keystore.WithOrderedAliases(), keystore.WithCaseExactAliases())
	if err := checkJKS(data); err != nil {
		return store, err
	}
	if password == "" {
		body := data[:len(data)-sha1.Size]
		digest := sha1.Sum(append([]byte("Mighty Aphrodite"), body...))
		data = append(bytes.Clone(body), digest[:]...)
	}
	text, err := latin1(password)
	if err != nil {
		return store, err
	}
	if err := store.Load(bytes.NewReader(data), text); err != nil {
		return store, errPassword // nothing else is left to go wrong
	}
	return store, nil
}

// latin1 is how keystore-go wants a password: one byte for each of Java's chars.
func latin1(password string) ([]byte, error) {
	var text []byte
	for _, r := range password {
		if r > 0xff {
			return nil, errors.New("its password has characters above U+00FF, which is not supported for JKS; keytool -importkeystore -deststoretype PKCS12 converts the store")
		}
		text = append(text, byte(r))
	}
	return text, nil
}

// checkJKS walks through a JKS: keystore-go allocates what a length says before
// it looks for as many bytes.
//
//	magic u32 | version u32 | entries u32 | entry… | SHA-1
//	entry: 1 u32 | alias | time u64 | key | certificates u32 | certificate…
//	       2 u32 | alias | time u64 | certificate
//	alias, type: u16 and as many bytes; key, content: u32 and as many bytes
//	certificate: type (not in version 1) | content
func checkJKS(data []byte) error {
	c := cursor{rest: data}
	c.skip(4) // the magic number is what has led here
	version := c.number(4)
	if version != 1 && version != 2 {
		return errDamaged
	}
	for range c.number(4) {
		tag := c.number(4)
		c.skip(c.number(2))
		c.skip(8)
		certificates := uint64(1)
		if tag == 1 {
			c.skip(c.number(4))
			certificates = c.number(4)
		}
		for range certificates {
			if version == 2 {
				c.skip(c.number(2))
			}
			c.skip(c.number(4))
			if c.short {
				return errDamaged
			}
		}
		if tag != 1 && tag != 2 {
			return errDamaged
		}
	}
	if c.short || len(c.rest) != sha1.Size {
		return errDamaged
	}
	return nil
}

// cursor reads on until the bytes run short, and nothing but zeros after that.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) skip(n uint64) []byte {
	if c.short = c.short || n > uint64(len(c.rest)); c.short {
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

// number is big-endian, of up to 8 bytes.
func (c *cursor) number(size uint64) uint64 {
	var whole [8]byte
	copy(whole[8-size:], c.skip(size))
	return binary.BigEndian.Uint64(whole[:])
}
