package kringkeystore

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// sign makes a PKCS12 of safes, with a MAC (PBMAC1, RFC 9579) that go-pkcs12
// checks and nobody else sees.
func sign(safes [][]byte, password string) ([]byte, error) {
	content, err := marshalList(safes)
	if err != nil {
		return nil, err
	}
	salt := []byte("kring")
	key, err := pbkdf2.Key(sha256.New, password, salt, 1, sha256.Size)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(content)

	hash := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}} // hmacWithSHA256
	kdf, err := algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {          // PBKDF2
		Salt       []byte
		Iterations int
		KeyLength  int
		PRF        pkix.AlgorithmIdentifier
	}{salt, 1, sha256.Size, hash})
	if err != nil {
		return nil, err
	}
	file := pfx{Version: 3}
	file.MacData.Mac.Digest = mac.Sum(nil)
	file.MacData.Mac.Algorithm, err = algorithm(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}, struct { // PBMAC1
		KDF, MAC pkix.AlgorithmIdentifier
	}{kdf, hash})
	if err != nil {
		return nil, err
	}
	if file.AuthSafe, err = dataOf(content); err != nil {
		return nil, err
	}
	return asn1.Marshal(file)
}

func algorithm(id asn1.ObjectIdentifier, parameters any) (pkix.AlgorithmIdentifier, error) {
	der, err := asn1.Marshal(parameters)
	return pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.RawValue{FullBytes: der}}, err
}

// dataOf is content of the type data: an OCTET STRING.
func dataOf(content []byte) (contentInfo, error) {
	der, err := asn1.Marshal(content)
	return contentInfo{oidData(), explicit(der)}, err
}

// explicit is [0] around something.
func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

func marshalList(elements [][]byte) ([]byte, error) {
	list := make([]asn1.RawValue, len(elements))
	for i, der := range elements {
		list[i].FullBytes = der
	}
	return asn1.Marshal(list)
}

// marshalSafe is a safe of bags that is not encrypted as a whole.
func marshalSafe(bags ...[]byte) ([]byte, error) {
	content, err := marshalList(bags)
	if err != nil {
		return nil, err
	}
	info, err := dataOf(content)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(info)
}

func marshalBag(id asn1.ObjectIdentifier, value []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}{id, explicit(value)})
}

func marshalCertificateBag(certificate []byte) ([]byte, error) {
	octets, err := asn1.Marshal(certificate)
	if err != nil {
		return nil, err
	}
	value, err := marshalBag(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}, octets) // x509Certificate
	if err != nil {
		return nil, err
	}
	return marshalBag(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}, value) // certBag
}
