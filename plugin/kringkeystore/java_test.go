package kringkeystore

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// run is a tool of the JDK; the test is skipped where there is none.
func run(t *testing.T, tool string, args ...string) {
	t.Helper()
	for _, needed := range []string{"javac", tool} { // a JRE runs no source files
		if _, err := exec.LookPath(needed); err != nil || testing.Short() {
			t.Skipf("no JDK, or a short run: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
}

// TestKeytool reads what Java's own tool writes, as in its documentation.
func TestKeytool(t *testing.T) {
	const store, key = "canary-store", "canary-key"
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct{ name, kind, algorithm, keyPassword string }{
		{"client.jks", "JKS", "RSA", key},
		{"client.p12", "PKCS12", "EC", store},
	} {
		run(t, "keytool", "-genkeypair", "-keystore", at(c.name), "-storetype", c.kind, "-alias", "App", "-keyalg", c.algorithm,
			"-dname", "CN=app", "-storepass", store, "-keypass", c.keyPassword)
		run(t, "keytool", "-exportcert", "-rfc", "-keystore", at(c.name), "-alias", "app", "-storepass", store, "-file", at(c.name+".pem"))
		text, err := os.ReadFile(at(c.name + ".pem"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		want := x509.NewCertPool()
		if block == nil || !want.AppendCertsFromPEM(text) {
			t.Fatalf("keytool exports %s", text)
		}
		// The other name of the two is no obstacle.
		for _, kind := range []string{"JKS", "PKCS12"} {
			s := Store{Path: at(c.name), Type: kind, Password: Secret(store), KeyPassword: Secret(c.keyPassword)}
			got, err := Load(s)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !bytes.Equal(got[0].Certificate[0], block.Bytes) {
				t.Errorf("%s: %d certificates, or another one", c.name, len(got))
			}
			s.Password = Secret("canary-no")
			_, err = Load(s)
			complains(t, err, "the password is wrong")
			trust := "trust-" + kind + c.name
			run(t, "keytool", "-importcert", "-noprompt", "-keystore", at(trust), "-storetype", kind, "-alias", "ca", "-storepass", store, "-file", at(c.name+".pem"))
			pool, err := LoadTrust(Store{Path: at(trust), Password: Secret(store)})
			if err != nil {
				t.Fatal(err)
			}
			if !pool.Equal(want) {
				t.Errorf("%s: other authorities", trust)
			}
		}
	}
}

// TestStoresOfJava reads what Java's classes write: several keys under a
// password of their own in either format, and characters beyond ASCII in it.
func TestStoresOfJava(t *testing.T) {
	dir := t.TempDir()
	ca := newPair(t, "ca", "EC", nil)
	rsa, ec, ed := newPair(t, "rsa", "RSA", ca), newPair(t, "ec", "EC", ca), newPair(t, "ed", "Ed25519", ca)
	for name, chain := range map[string][]*pair{"ca": {ca}, "rsa": {rsa, ca}, "ec": {ec, ca}, "ed": {ed, ca}} {
		key, err := x509.MarshalPKCS8PrivateKey(chain[0].key)
		if err != nil {
			t.Fatal(err)
		}
		var all []byte
		for _, c := range chain {
			all = append(all, c.Raw...)
		}
		for suffix, data := range map[string][]byte{".key": key, ".crt": all} {
			if err := os.WriteFile(filepath.Join(dir, name+suffix), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	run(t, "java", "testdata/Stores.java", dir, "canary-store", canaryKey)
	accents, err := Load(Store{Path: filepath.Join(dir, "accents.JKS"), Password: Secret("caf\u00e9\u00ff")})
	if err != nil || len(accents) != 1 {
		t.Fatalf("%d certificates, %v", len(accents), err)
	}
	same(t, accents[0], ec, ca)
	for _, kind := range []string{"JKS", "PKCS12"} {
		s := func(name string) Store {
			return Store{Path: filepath.Join(dir, name+"."+kind), Password: Secret("canary-store"), KeyPassword: Secret(canaryKey)}
		}
		one := s("one")
		one.KeyPassword = nil
		got, err := Load(one)
		if err != nil || len(got) != 1 {
			t.Fatalf("%d certificates, %v", len(got), err)
		}
		same(t, got[0], rsa, ca)
		for _, name := range []string{"several", "mixed"} {
			got, err := Load(s(name))
			if err != nil || len(got) != 3 {
				t.Fatalf("%s.%s: %d certificates, %v", name, kind, len(got), err)
			}
			same(t, got[0], ed, ca)
			same(t, got[1], ec, ca)
			same(t, got[2], rsa, ca)
		}
		several := s("several")
		several.KeyPassword = nil
		_, err = Load(several)
		complains(t, err, "the password of the private key is wrong")
		for _, name := range []string{"empty", "trust"} {
			_, err := Load(s(name))
			complains(t, err, "it has no private key; is it a trust store?")
		}

		want := x509.NewCertPool()
		want.AddCert(ca.Certificate)
		want.AddCert(ec.Certificate)
		pool, err := LoadTrust(s("trust"))
		if err != nil || !pool.Equal(want) {
			t.Errorf("trust.%s: other authorities, %v", kind, err)
		}
		_, err = LoadTrust(s("empty"))
		complains(t, err, "it has no trusted certificate")
		pool, err = LoadTrust(s("mixed"))
		if kind == "PKCS12" {
			complains(t, err, "nothing but certificates that are marked as trusted")
			continue
		}
		for _, leaf := range []*pair{rsa, ed} { // Java trusts them, too
			want.AddCert(leaf.Certificate)
		}
		if err != nil || !pool.Equal(want) {
			t.Errorf("mixed.%s: other authorities, %v", kind, err)
		}
	}
}
