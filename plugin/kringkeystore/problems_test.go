package kringkeystore

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/kring-go/kring"
)

func u32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// digested puts the digest of a password behind a JKS.
func digested(password string, body []byte) []byte {
	var chars []byte
	for _, c := range javaChars(password) {
		chars = append(chars, 0, c)
	}
	sum := sha1.Sum(joined(chars, []byte("Mighty Aphrodite"), body))
	return joined(body, sum[:])
}

// slow replaces one of the numbers of iterations of a PKCS12, which are 33000, by
// one that takes as many bytes.
func slow(t *testing.T, data []byte, which int) []byte {
	t.Helper()
	before, after := []byte{2, 3, 0x00, 0x80, 0xe8}, []byte{2, 3, 0x7a, 0x12, 0x00}
	parts := bytes.Split(data, before)
	if len(parts) != 4 {
		t.Fatalf("%d numbers of iterations, want 3", len(parts)-1)
	}
	return joined(bytes.Join(parts[:which+1], before), after, bytes.Join(parts[which+1:], before))
}

// TestProblems: what can not be used is said in words that tell what to do, and
// without a password.
func TestProblems(t *testing.T) {
	root := newPair(t, "root", "EC", nil)
	app, other := newPair(t, "app", "EC", root), newPair(t, "other", "EC", root)
	type list = map[string][]*pair
	jksOf := jks(t, canary, canaryKey, list{"app": {app, root}}, nil)
	p12Of := p12(t, pkcs12.Modern2023, canary, app, root)
	des := p12(t, pkcs12.LegacyDES.WithIterations(33000), canary, app)
	aes := p12(t, pkcs12.Modern2026.WithIterations(33000), canary, app)
	trust := p12Trust(t, pkcs12.Modern2023, canary, root)
	head := joined([]byte("\xfe\xed\xfe\xed"), u32(2), u32(1))
	alias := []byte("\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00")
	shortKey := joined([]byte("\x30\x13\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x2a\x02\x11\x01\x01\x04\x03"), make([]byte, 3))
	hmacSHA256, hmacSHA224 := []byte("\x2a\x86\x48\x86\xf7\x0d\x02\x09"), []byte("\x2a\x86\x48\x86\xf7\x0d\x02\x08")
	wrong, right, none := Secret("canary-no"), Secret(canary), (func() (string, error))(nil)
	for _, tc := range []struct {
		name          string
		data          []byte
		password, key func() (string, error)
		want          string
	}{
		{"JKS, wrong password", jksOf, wrong, Secret(canaryKey), "the password is wrong, or the file is damaged"},
		{"JKS, no password", jksOf, none, none, "its password is missing"},
		{"JKS, wrong password of the key", jksOf, right, wrong, `entry "app": the password of the private key is wrong`},
		{"JKS, the key's password is missing", jksOf, right, none, `entry "app": the password of the private key is wrong`},
		{"JKS, a password of other characters", jksOf, Secret("canary-ж"), none, "above U+00FF"},
		{"JKS, changed", joined(jksOf[:60], []byte{jksOf[60] ^ 1}, jksOf[61:]), right, Secret(canaryKey), "is damaged"},
		{"JKS without a key", jks(t, canary, "", nil, map[string]*pair{"a": root}), right, none, "it has no private key; is it a trust store?"},
		{"JKS without anything", jks(t, canary, "", nil, nil), right, none, "it has no private key"},
		{"JKS, certificate of another key", jks(t, canary, canary, list{"app": {&pair{other.Certificate, app.key}}}, nil), right, none, `entry "app": its private key is without a certificate`},
		{"JKS, cut", jksOf[:len(jksOf)-30], right, Secret(canaryKey), "client.store: the file is damaged"},
		{"JKS, more behind it", joined(jksOf, []byte{0}), right, Secret(canaryKey), "client.store: the file is damaged"},
		{"JKS, version", joined([]byte("\xfe\xed\xfe\xed"), u32(3), u32(0), make([]byte, 20)), right, none, "client.store: the file is damaged"},
		{"JKS, an entry of another kind", digested(canary, joined(head, u32(3), alias, []byte{0, 0}, u32(0))), right, none, "client.store: the file is damaged"},
		{"JKS, endless entries", joined([]byte("\xfe\xed\xfe\xed"), u32(2), u32(1<<32-1), make([]byte, 100)), right, none, "client.store: the file is damaged"},
		{"JKS, endless key", joined(head, u32(1), alias, u32(1<<32-1), make([]byte, 100)), right, none, "client.store: the file is damaged"},
		{"JKS, endless chain", joined(head, u32(1), alias, u32(4), make([]byte, 4), u32(1<<32-1), make([]byte, 100)), right, none, "client.store: the file is damaged"},
		{"JKS, endless certificate", joined(head, u32(2), alias, []byte{0, 0}, u32(1<<32-1), make([]byte, 100)), right, none, "client.store: the file is damaged"},
		{"JKS, a key of three bytes", digested(canary, joined(head, u32(1), alias, u32(21), shortKey, u32(0))), right, none, "client.store: the file is damaged"},
		{"PKCS12, wrong password", p12Of, wrong, none, "the password is wrong, or the file is damaged"},
		{"PKCS12, no password", p12Of, none, none, "its password is missing"},
		{"PKCS12, wrong password of the key", p12Keys(t, canary, canaryKey, []*pair{app}), right, wrong, "the password of the private key is wrong"},
		{"PKCS12, changed", joined(p12Of[:200], []byte{p12Of[200] ^ 1}, p12Of[201:]), right, none, "is damaged"},
		{"PKCS12 without a key", trust, right, none, "it has no private key; is it a trust store?"},
		{"PKCS12, several keys, a MAC of another kind", bytes.ReplaceAll(p12Keys(t, canary, canary, []*pair{app}, []*pair{other}), hmacSHA256, hmacSHA224), right, none, "is not supported"},
		{"PKCS12, a certificate of another key", p12(t, pkcs12.Modern2023, canary, &pair{other.Certificate, app.key}), right, none, "its private key is without a certificate"},
		{"PKCS12 without anything", p12Trust(t, pkcs12.Modern2023, canary), right, none, "it has no certificate"},
		{"PKCS12, cut", p12Of[:len(p12Of)-1], right, none, "it is no PKCS12"},
		{"PKCS12, iterations of the certificates", slow(t, des, 0), right, none, "more than 5000000 iterations"},
		{"PKCS12, iterations of the key", slow(t, des, 1), right, none, "more than 5000000 iterations"},
		{"PKCS12, iterations of the MAC", slow(t, des, 2), right, none, "more than 5000000 iterations"},
		{"PBES2, iterations of the certificates", slow(t, aes, 0), right, none, "more than 5000000 iterations"},
		{"PBES2, iterations of the key", slow(t, aes, 1), right, none, "more than 5000000 iterations"},
		{"PBMAC1, iterations", slow(t, aes, 2), right, none, "more than 5000000 iterations"},
		{"JCEKS", []byte("\xce\xce\xce\xce"), right, none, "JCEKS is not supported"},
		{"PEM", []byte("Bag Attributes\n-----BEGIN CERTIFICATE-----\n"), right, none, "set its type to PEM"},
		{"empty", nil, right, none, "the file is empty"},
		{"something else", []byte("PK\x03\x04"), right, none, "neither JKS nor PKCS12"},
		{"too large", make([]byte, maxStore+1), right, none, "more than 4194304 bytes"},
		{"no password to be had", jksOf, func() (string, error) { return canary, errors.New("vault is sealed") }, none, "its password: vault is sealed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, "client.store", tc.data)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(Store{Path: path, Password: tc.password, KeyPassword: tc.key})
			runtime.ReadMemStats(&after)
			complains(t, err, "key store "+path+": ", tc.want)
			if got := after.TotalAlloc - before.TotalAlloc; got > 64<<20 {
				t.Errorf("%d bytes were allocated for a file of %d", got, len(tc.data))
			}
		})
	}
}

// complains holds an error to what it should say, and not say.
func complains(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "canary") {
			t.Errorf("a password is shown: %s", text)
		}
	}
}

func TestTrustProblems(t *testing.T) {
	root := newPair(t, "root", "EC", nil)
	app := newPair(t, "app", "EC", root)
	for _, tc := range []struct {
		name, password string
		data           []byte
		want           string
	}{
		{"JKS, wrong password", "canary-no", jks(t, canary, "", nil, map[string]*pair{"a": root}), "the password is wrong"},
		{"JKS, empty", canary, jks(t, canary, "", nil, nil), "it has no trusted certificate"},
		{"PKCS12, wrong password", "canary-no", p12Trust(t, pkcs12.Modern2023, canary, root), "the password is wrong"},
		{"PKCS12, no password", "", p12Trust(t, pkcs12.Modern2023, canary, root), "its password is missing"},
		{"PKCS12, empty", canary, p12Trust(t, pkcs12.Modern2023, canary), "it has no trusted certificate"},
		{"PKCS12 with a key", canary, p12(t, pkcs12.Modern2023, canary, app, root), "keytool -importcert"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Store{Path: write(t, "trust.store", tc.data)}
			if tc.password != "" {
				s.Password = Secret(tc.password)
			}
			_, err := LoadTrust(s)
			complains(t, err, "trust store "+s.Path+": ", tc.want)
		})
	}
}

func TestFileProblems(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct {
		name string
		s    Store
		want string
	}{
		{"missing", Store{Path: dir + "/none.jks"}, "none.jks: no such file"},
		{"a folder", Store{Path: dir}, "is a directory"},
		{"its type", Store{Path: dir, Type: "BCFKS"}, "its type must be JKS or PKCS12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(tc.s)
			complains(t, err, tc.want)
			if n := strings.Count(err.Error(), dir); n != 1 {
				t.Errorf("the path is named %d times: %v", n, err)
			}
		})
	}
}

// TestSecretsAreNotPrinted, whatever somebody does with a Store or an option.
func TestSecretsAreNotPrinted(t *testing.T) {
	s := Store{Path: "x.jks", Password: Secret(canary), KeyPassword: Secret(canaryKey)}
	type wrapper struct{ inner Store }
	options, err := FromProperties(map[string]string{
		"security.protocol": "SSL", "ssl.keystore.location": "x", "ssl.keystore.password": canary, "ssl.key.password": canaryKey,
		"ssl.truststore.location": "y", "ssl.truststore.password": canary,
	})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, x := range []any{s, &s, wrapper{s}, TLS(s, s), options} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("a store", "store", x)
		}
		text, err := json.Marshal(x)
		fmt.Fprintln(&out, string(text), err)
	}
	_, err = kring.New(append(options, kring.Brokers("127.0.0.1:1"))...)
	fmt.Fprintln(&out, err)
	for _, secret := range []string{canary, canaryKey, fmt.Sprintf("%x", canary), fmt.Sprintf("%x", canaryKey)} {
		if at := strings.Index(out.String(), secret); at >= 0 {
			t.Errorf("a password is shown: …%s…", out.String()[max(0, at-100):at])
		}
	}
}

// FuzzLoad: hostile bytes are an error or a store, soon, and nothing else.
func FuzzLoad(f *testing.F) {
	root := newPair(f, "root", "EC", nil)
	app := newPair(f, "app", "EC", root)
	f.Add(jks(f, canary, canary, map[string][]*pair{"app": {app, root}}, map[string]*pair{"root": root}))
	f.Add(jks(f, "", canary, map[string][]*pair{"app": {app, root}}, map[string]*pair{"root": root}))
	f.Add(p12(f, pkcs12.Modern2023.WithIterations(1), canary, app, root))
	f.Add(p12(f, pkcs12.LegacyRC2.WithIterations(1), canary, app, root))
	f.Add(p12Keys(f, canary, canaryKey, []*pair{app, root}, []*pair{app}))
	f.Add(jks(f, canary, "", nil, map[string]*pair{"root": root}))
	f.Add(jks(f, canary, "", nil, nil))
	f.Add(p12Trust(f, pkcs12.Passwordless, "", root))
	f.Add(p12(f, pkcs12.Passwordless, "", app))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := takeApart(data, 3000); err != nil && strings.Contains(err.Error(), "iterations") {
			t.Skip("five million of them take a second")
		}
		for _, open := range []passwords{{canary, canary}, {canary, canaryKey}, {}} {
			if got, err := parsed(data, open, keys); err == nil && (len(got) == 0 || got[0].PrivateKey == nil || len(got[0].Certificate) == 0) {
				t.Errorf("no error, and nothing usable: %+v", got)
			}
			if got, err := parsed(data, open, authorities); err == nil && got == nil {
				t.Error("no error, and no authorities")
			}
		}
	})
}

// parsed is what open makes of a file, without a Store around it.
func parsed[T any](data []byte, with passwords, parse func([]byte, passwords) (T, error)) (T, error) {
	return open(Store{Password: Secret(with.store), KeyPassword: Secret(with.key)}, data, parse)
}
