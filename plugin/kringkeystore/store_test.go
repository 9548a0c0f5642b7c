package kringkeystore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"
)

// Passwords that must be seen nowhere.
const (
	canary    = "canary-störe-1"
	canaryKey = "canary-key-2"
)

// pair is a certificate and its key.
type pair struct {
	*x509.Certificate
	key crypto.Signer
}

func newKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "RSA":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate; without by it signs itself, and others.
func newPair(t testing.TB, name, kind string, by *pair, change ...func(*x509.Certificate)) *pair {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	key := newKey(t, kind)
	if by == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		by = &pair{template, key}
	}
	for _, f := range change {
		f(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.Certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{c, key}
}

func asCA(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }

func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// javaChars are a password as keystore-go wants it.
func javaChars(password string) []byte {
	var text []byte
	for _, r := range password {
		text = append(text, byte(r))
	}
	return text
}

func ofJava(certificates []*pair) (chain []keystore.Certificate) {
	for _, c := range certificates {
		chain = append(chain, keystore.Certificate{Type: "X.509", Content: c.Raw})
	}
	return chain
}

// jks writes a JKS: keys by alias, each with its chain, and authorities.
func jks(t testing.TB, password, keyPassword string, keys map[string][]*pair, trusted map[string]*pair) []byte {
	t.Helper()
	store := keystore.New(keystore.WithOrderedAliases())
	for alias, chain := range keys {
		der, err := x509.MarshalPKCS8PrivateKey(chain[0].key)
		if err == nil {
			err = store.SetPrivateKeyEntry(alias, keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: der, CertificateChain: ofJava(chain)}, javaChars(keyPassword))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for alias, c := range trusted {
		err := store.SetTrustedCertificateEntry(alias, keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: ofJava([]*pair{c})[0]})
		if err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := store.Store(&out, javaChars(password)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func certificates(list []*pair) (all []*x509.Certificate) {
	for _, p := range list {
		all = append(all, p.Certificate)
	}
	return all
}

// p12 writes a PKCS12 of one key.
func p12(t testing.TB, e *pkcs12.Encoder, password string, chain ...*pair) []byte {
	t.Helper()
	data, err := e.Encode(chain[0].key, chain[0].Certificate, certificates(chain[1:]), password)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// p12Trust writes a PKCS12 of authorities.
func p12Trust(t testing.TB, e *pkcs12.Encoder, password string, trusted ...*pair) []byte {
	t.Helper()
	data, err := e.EncodeTrustStore(certificates(trusted), password)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// p12Keys writes a PKCS12 of several keys, each under keyPassword, and of all
// certificates, in the open as some tools do.
func p12Keys(t testing.TB, password, keyPassword string, chains ...[]*pair) []byte {
	t.Helper()
	must := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var bags [][]byte
	for i := range chains {
		chain := chains[len(chains)-1-i] // the first alias comes last
		p, err := takeApart(p12(t, pkcs12.Modern2023, keyPassword, chain...), maxIterations)
		if err != nil || len(p.keys) != 1 {
			t.Fatal(err, p)
		}
		bags = append(bags, p.keys[0].der)
		for _, c := range slices.Backward(chain) {
			bags = append(bags, must(marshalCertificateBag(c.Raw)))
		}
	}
	return must(sign([][]byte{must(marshalSafe(bags...))}, password))
}

// same holds a loaded certificate to what was written.
func same(t *testing.T, got tls.Certificate, want ...*pair) {
	t.Helper()
	if len(got.Certificate) != len(want) {
		t.Fatalf("a chain of %d, want %d", len(got.Certificate), len(want))
	}
	for i, c := range want {
		if !bytes.Equal(got.Certificate[i], c.Raw) {
			t.Errorf("certificate %d is not that of %s", i, c.Subject.CommonName)
		}
	}
	if key, ok := got.PrivateKey.(interface{ Equal(crypto.PrivateKey) bool }); !ok || !key.Equal(want[0].key) {
		t.Error("another private key")
	}
	if got.Leaf == nil || !bytes.Equal(got.Leaf.Raw, want[0].Raw) {
		t.Error("no leaf, or another one")
	}
}

func TestLoad(t *testing.T) {
	root := newPair(t, "root", "EC", nil)
	middle := newPair(t, "middle", "EC", root, asCA)
	app := newPair(t, "app", "EC", middle)
	other := newPair(t, "other", "RSA", root)
	edwards := newPair(t, "edwards", "Ed25519", root)
	past := newPair(t, "past", "EC", root, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	chain := []*pair{app, middle, root}
	type list = map[string][]*pair
	for _, tc := range []struct {
		name, kind string
		data       []byte
		key        string // password of the keys; empty: none
		want       [][]*pair
	}{
		{"JKS", "JKS", jks(t, canary, canary, list{"app": chain}, nil), "", [][]*pair{chain}},
		{"JKS by default", "", jks(t, canary, canary, list{"app": chain}, nil), "", [][]*pair{chain}},
		{"JKS that is said to be PKCS12", "pkcs12", jks(t, canary, canary, list{"app": chain}, nil), "", [][]*pair{chain}},
		{"JKS, a password for its keys", "jks", jks(t, canary, canaryKey, list{"app": chain}, nil), canaryKey, [][]*pair{chain}},
		{"JKS, several", "JKS", jks(t, canary, canary, list{"b": {other, root}, "a": chain, "c": {edwards}}, nil), "", [][]*pair{chain, {other, root}, {edwards}}},
		{"JKS, with authorities", "JKS", jks(t, canary, canary, list{"b": {other, root}}, map[string]*pair{"a": middle}), "", [][]*pair{{other, root}}},
		{"JKS, expired", "JKS", jks(t, canary, canary, list{"a": {past}}, nil), "", [][]*pair{{past}}},
		{"PKCS12 of 2023", "PKCS12", p12(t, pkcs12.Modern2023, canary, chain...), "", [][]*pair{chain}},
		{"PKCS12 of 2026", "PKCS12", p12(t, pkcs12.Modern2026, canary, chain...), "", [][]*pair{chain}},
		{"PKCS12, 3DES", "PKCS12", p12(t, pkcs12.LegacyDES, canary, chain...), "", [][]*pair{chain}},
		{"PKCS12, RC2", "PKCS12", p12(t, pkcs12.LegacyRC2, canary, chain...), "", [][]*pair{chain}},
		{"PKCS12 that is said to be JKS", "JKS", p12(t, pkcs12.Modern2023, canary, chain...), "", [][]*pair{chain}},
		{"PKCS12, RSA", "PKCS12", p12(t, pkcs12.Modern2023, canary, other), "", [][]*pair{{other}}},
		{"PKCS12, Ed25519", "PKCS12", p12(t, pkcs12.Modern2023, canary, edwards), "", [][]*pair{{edwards}}},
		{"PKCS12, expired", "PKCS12", p12(t, pkcs12.Modern2023, canary, past), "", [][]*pair{{past}}},
		{"PKCS12, the key's own password is the store's", "", p12(t, pkcs12.Modern2023, canary, chain...), canaryKey, [][]*pair{chain}},
		{"PKCS12, a password for its key", "PKCS12", p12Keys(t, canary, canaryKey, chain), canaryKey, [][]*pair{chain}},
		{"PKCS12, several", "PKCS12", p12Keys(t, canary, canary, chain, []*pair{other, root}, []*pair{edwards, root}), "", nil},
		{"PKCS12, several, a password for them", "PKCS12", p12Keys(t, canary, canaryKey, []*pair{other, root}, []*pair{past, root}), canaryKey, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Store{Path: write(t, "store", tc.data), Type: tc.kind, Password: Secret(canary)}
			if tc.key != "" {
				s.KeyPassword = Secret(tc.key)
			}
			got, err := Load(s)
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == nil { // without aliases the order is the file's
				tc.want = map[int][][]*pair{3: {{edwards, root}, {other, root}, chain}, 2: {{past, root}, {other, root}}}[len(got)]
			}
			if len(got) != len(tc.want) {
				t.Fatalf("%d certificates, want %d", len(got), len(tc.want))
			}
			for i, want := range tc.want {
				same(t, got[i], want...)
			}
		})
	}
}

func TestLoadTrust(t *testing.T) {
	one, two, three := newPair(t, "one", "EC", nil), newPair(t, "two", "RSA", nil), newPair(t, "three", "EC", nil)
	leaf := newPair(t, "leaf", "EC", three)
	all := map[string]*pair{"b": one, "a": two, "c": three}
	for _, tc := range []struct {
		name, password string
		data           []byte
		want           []*pair
	}{
		{"JKS", canary, jks(t, canary, "", nil, all), []*pair{one, two, three}},
		{"JKS without its password", "", jks(t, canary, "", nil, all), []*pair{one, two, three}},
		{"JKS with a key", canary, jks(t, canary, canary, map[string][]*pair{"k": {leaf, three}}, map[string]*pair{"b": one}), []*pair{one, leaf}},
		{"PKCS12", canary, p12Trust(t, pkcs12.Modern2023, canary, one, two, three), []*pair{one, two, three}},
		{"PKCS12 of 2026", canary, p12Trust(t, pkcs12.Modern2026, canary, one), []*pair{one}},
		{"PKCS12, RC2", canary, p12Trust(t, pkcs12.LegacyRC2, canary, one, two), []*pair{one, two}},
		{"PKCS12 that has no password", "", p12Trust(t, pkcs12.Passwordless, "", one, two), []*pair{one, two}},
		{"PKCS12 that has no password, one given", canary, p12Trust(t, pkcs12.Passwordless, "", one, two), []*pair{one, two}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Store{Path: write(t, "store", tc.data)}
			if tc.password != "" {
				s.Password = Secret(tc.password)
			}
			got, err := LoadTrust(s)
			if err != nil {
				t.Fatal(err)
			}
			want := x509.NewCertPool()
			for _, c := range tc.want {
				want.AddCert(c.Certificate)
			}
			if !got.Equal(want) {
				t.Error("other authorities")
			}
		})
	}
}
