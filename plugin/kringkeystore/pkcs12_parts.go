package kringkeystore

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"unicode/utf16"
)

// maxIterations is Java's limit for one derivation of a key (PKCS12KeyStore).
const maxIterations = 5_000_000

// parts are what stands in a PKCS12 (RFC 7292) outside of what is encrypted.
//
//	PFX: version | content: safe… | MAC
//	safe: encrypted, or data: bag…
//	bag: a certificate, or a key, which is mostly encrypted by itself
type parts struct {
	most      int      // iterations for one key
	signed    bool     // there is a MAC
	safes     [][]byte // all, as they are
	encrypted [][]byte // of these
	keys      []keyBag // of the others
	others    [][]byte // bags of the others
}

// keyBag is one bag with a private key.
type keyBag struct {
	alias string
	der   []byte
}

type pfx struct {
	Version  int
	AuthSafe contentInfo
	MacData  macData `asn1:"optional"`
}

type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type macData struct {
	Mac        digestInfo
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

type digestInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Digest    []byte
}

type encryptedData struct {
	Version int
	Info    struct {
		ContentType asn1.ObjectIdentifier
		Algorithm   pkix.AlgorithmIdentifier
		Content     asn1.RawValue `asn1:"optional"`
	}
}

type safeBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue `asn1:"tag:0,explicit"`
	Attributes asn1.RawValue `asn1:"optional"`
}

type shroudedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

func oidData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }

func oidEncrypted() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6} }

func oidName() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20} }

func oidKeyBag() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}
}

func oidShroudedKeyBag() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}
}

// takeApart reads a file as go-pkcs12 does, one element at a time, so that what
// it allocates is bounded by the file. What would take more than most iterations
// is refused.
func takeApart(data []byte, most int) (*parts, error) {
	var file pfx
	if err := unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("it is no PKCS12, or one in BER: %w", err)
	}
	p := &parts{most: most, signed: len(file.MacData.Mac.Algorithm.Algorithm) > 0}
	if file.MacData.Iterations > most {
		return nil, p.tooSlow()
	}
	if err := p.checkIterations(file.MacData.Mac.Algorithm); err != nil {
		return nil, err
	}
	var content []byte
	if err := unmarshal(file.AuthSafe.Content.Bytes, &content); err != nil {
		return nil, errDamaged
	}
	return p, each(content, p.addSafe)
}

func (p *parts) addSafe(der []byte) error {
	p.safes = append(p.safes, der)
	var info contentInfo
	if err := unmarshal(der, &info); err != nil {
		return errDamaged
	}
	switch {
	case info.ContentType.Equal(oidEncrypted()):
		p.encrypted = append(p.encrypted, der)
		var encrypted encryptedData
		if err := unmarshal(info.Content.Bytes, &encrypted); err != nil {
			return errDamaged
		}
		return p.checkIterations(encrypted.Info.Algorithm)
	case info.ContentType.Equal(oidData()):
		var bags []byte
		if err := unmarshal(info.Content.Bytes, &bags); err != nil {
			return errDamaged
		}
		return each(bags, p.addBag)
	}
	return nil // go-pkcs12 says that it does not know it
}

func (p *parts) addBag(der []byte) error {
	var bag safeBag
	if err := unmarshal(der, &bag); err != nil {
		return errDamaged
	}
	switch {
	case bag.ID.Equal(oidShroudedKeyBag()):
		var key shroudedKey
		if err := unmarshal(bag.Value.Bytes, &key); err != nil {
			return errDamaged
		}
		if err := p.checkIterations(key.Algorithm); err != nil {
			return err
		}
		fallthrough
	case bag.ID.Equal(oidKeyBag()):
		p.keys = append(p.keys, keyBag{alias: alias(bag.Attributes.Bytes), der: der})
	default:
		p.others = append(p.others, der)
	}
	return nil
}

// alias is the friendly name among the attributes of a bag; empty: none.
func alias(attributes []byte) string {
	for len(attributes) > 0 {
		var a struct {
			ID     asn1.ObjectIdentifier
			Values asn1.RawValue
		}
		rest, err := asn1.Unmarshal(attributes, &a)
		if err != nil {
			return ""
		}
		attributes = rest
		var name asn1.RawValue
		if !a.ID.Equal(oidName()) || unmarshal(a.Values.Bytes, &name) != nil || name.Tag != asn1.TagBMPString {
			continue
		}
		var units []uint16
		for i := 0; i+1 < len(name.Bytes); i += 2 {
			units = append(units, uint16(name.Bytes[i])<<8|uint16(name.Bytes[i+1]))
		}
		return string(utf16.Decode(units))
	}
	return ""
}

func (p *parts) tooSlow() error {
	return fmt.Errorf("its keys take more than %d iterations, which is Java's limit", p.most)
}

// checkIterations bounds what an algorithm computes of a password. Parameters of
// another form are left to go-pkcs12.
func (p *parts) checkIterations(a pkix.AlgorithmIdentifier) error {
	var pair struct { // PBES2-params, PBMAC1-params
		KDF, Other pkix.AlgorithmIdentifier
	}
	if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &pair); err == nil {
		a = pair.KDF
	}
	var own struct { // pkcs-12PbeParams, PBKDF2-params
		Salt       asn1.RawValue
		Iterations int
	}
	if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &own); err == nil && own.Iterations > p.most {
		return p.tooSlow()
	}
	return nil
}

// each takes a SEQUENCE apart.
func each(der []byte, do func([]byte) error) error {
	var list asn1.RawValue
	if err := unmarshal(der, &list); err != nil || list.Tag != asn1.TagSequence || !list.IsCompound {
		return errDamaged
	}
	for rest := list.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &one); err != nil {
			return errDamaged
		}
		if err := do(one.FullBytes); err != nil {
			return err
		}
	}
	return nil
}

// unmarshal wants nothing behind what it reads.
func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = errDamaged
	}
	return err
}
