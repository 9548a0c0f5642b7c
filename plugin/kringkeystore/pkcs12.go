package kringkeystore

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// pkcs12Keys reads every private key of a PKCS12.
//
// go-pkcs12 takes one key, under the password of the file. What has several, or
// a password for its keys, is taken apart once the library has found the file to
// be authentic: each key, and the certificates, are then one PKCS12 for it.
func pkcs12Keys(data []byte, open passwords) ([]entry, error) {
	p, data, err := openPKCS12(data, open.store)
	if err != nil {
		return nil, err
	}
	if len(p.safes) == 0 {
		return nil, errNoKey
	}
	key, leaf, others, err := pkcs12.DecodeChain(data, open.store)
	switch {
	case err == nil:
		alias := ""
		if len(p.keys) == 1 {
			alias = p.keys[0].alias
		}
		e, err := newEntry(alias, key, chainFor(key, append(others, leaf)))
		return []entry{e}, err
	case isPassword(err):
		return nil, wrongPassword(open.store)
	case !isAboutKeys(err) || len(p.keys) == 0:
		return nil, ofLibrary(err)
	}
	certificates, err := p.certificates(open.store)
	if err != nil {
		return nil, err
	}
	var list []entry
	for _, bag := range p.keys {
		key, err := bag.open(open.key, certificates[0])
		if err != nil {
			return nil, fmt.Errorf("entry %q: %w", bag.alias, errKeyPassword)
		}
		e, err := newEntry(bag.alias, key, chainFor(key, certificates))
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	slices.SortStableFunc(list, func(a, b entry) int { return strings.Compare(a.alias, b.alias) })
	return list, nil
}

// pkcs12Authorities reads every certificate that a PKCS12 says to trust.
func pkcs12Authorities(data []byte, open passwords) ([]*x509.Certificate, error) {
	p, data, err := openPKCS12(data, open.store)
	if err != nil {
		return nil, err
	}
	if len(p.safes) == 0 {
		return nil, errNoTrust
	}
	trusted, err := pkcs12.DecodeTrustStore(data, open.store)
	switch {
	case isPassword(err):
		return nil, wrongPassword(open.store)
	case err != nil:
		return nil, fmt.Errorf("it can not be read as a trust store: %w; it must hold nothing but certificates that are marked as trusted, "+
			"as keytool -importcert writes them", ofLibrary(err))
	}
	return trusted, nil
}

// openPKCS12 bounds what the file asks for. One without a MAC, which Java reads
// with any password, gets one.
func openPKCS12(data []byte, password string) (*parts, []byte, error) {
	p, err := takeApart(data, maxIterations)
	if err != nil {
		return nil, nil, err
	}
	if !p.signed {
		if data, err = sign(p.safes, password); err != nil {
			return nil, nil, err
		}
	}
	return p, data, nil
}

// isPassword knows what go-pkcs12 says of a wrong password; without a MAC it is
// that nothing sensible was decrypted.
func isPassword(err error) bool {
	return errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption)
}

func wrongPassword(given string) error {
	if given == "" {
		return errNoPassword
	}
	return errPassword
}

// isAboutKeys knows the errors of go-pkcs12 that come after the MAC was found to
// be right, and say that there is not one key under one password. The library has
// no types for them; were its words to change, these files would be refused.
func isAboutKeys(err error) bool {
	for _, words := range []string{
		"pkcs12: expected exactly one key bag",
		"pkcs12: error decrypting PKCS#8",
		"pkcs12: error unmarshaling decrypted",
		"pkcs12: error parsing PKCS#8",
	} {
		if strings.HasPrefix(err.Error(), words) {
			return true
		}
	}
	return false
}

// ofLibrary says what go-pkcs12 says in our words, where it is about what people
// get wrong.
func ofLibrary(err error) error {
	switch text := strings.TrimPrefix(err.Error(), "pkcs12: "); text {
	case "private key missing":
		return errNoKey
	case "certificate missing":
		return errors.New("it has no certificate")
	default:
		return errors.New(text)
	}
}

// certificates are all there are. The key beside them is there because go-pkcs12
// wants one.
func (p *parts) certificates(password string) ([]*x509.Certificate, error) {
	_, unused, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(unused)
	if err != nil {
		return nil, err
	}
	bag, err := marshalBag(oidKeyBag(), der)
	if err != nil {
		return nil, err
	}
	rest, err := marshalSafe(append(slices.Clone(p.others), bag)...)
	if err != nil {
		return nil, err
	}
	data, err := sign(append(slices.Clone(p.encrypted), rest), password)
	if err != nil {
		return nil, err
	}
	_, first, others, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return nil, ofLibrary(err)
	}
	return append([]*x509.Certificate{first}, others...), nil
}

// open decrypts one key. The certificate beside it is any: go-pkcs12 wants one.
func (k keyBag) open(password string, beside *x509.Certificate) (any, error) {
	certificate, err := marshalCertificateBag(beside.Raw)
	if err != nil {
		return nil, err
	}
	safe, err := marshalSafe(k.der, certificate)
	if err != nil {
		return nil, err
	}
	data, err := sign([][]byte{safe}, password)
	if err != nil {
		return nil, err
	}
	key, _, _, err := pkcs12.DecodeChain(data, password)
	return key, err
}
