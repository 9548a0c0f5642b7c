package rig

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Stores are those of a Java client, as keytool makes them: a key whose
// certificate the brokers' authority has signed, and that authority to trust.
type Stores struct {
	Key, Trust  string // files
	Password    string // of both files
	KeyPassword string // of the key; in PKCS12 keytool has one password for both
}

// Stores makes them in a folder, of type JKS or PKCS12. They take the way that a
// team takes: a key, a request for a certificate, its signature, its import.
func (s *Security) Stores(ctx context.Context, dir, kind string) (*Stores, error) {
	made := &Stores{
		Key: filepath.Join(dir, "client."+kind), Trust: filepath.Join(dir, "trust."+kind),
		Password: "store-" + clusterID(), KeyPassword: "key-" + clusterID(),
	}
	if kind != "JKS" {
		made.KeyPassword = made.Password
	}
	request, reply := filepath.Join(dir, kind+".csr"), filepath.Join(dir, kind+".crt")
	store := func(file string, args ...string) []string {
		return append(args, "-noprompt", "-keystore", file, "-storetype", kind, "-storepass", made.Password)
	}
	for _, step := range []func() error{
		keytool(ctx, store(made.Trust, "-importcert", "-alias", "ca", "-file", s.CA)...),
		keytool(ctx, store(made.Key, "-genkeypair", "-alias", "client", "-keyalg", "RSA", "-dname", "CN=java client", "-keypass", made.KeyPassword)...),
		keytool(ctx, store(made.Key, "-certreq", "-alias", "client", "-keypass", made.KeyPassword, "-file", request)...),
		func() error { return s.authority.answer(request, reply) },
		keytool(ctx, store(made.Key, "-importcert", "-alias", "ca", "-file", s.CA)...),
		keytool(ctx, store(made.Key, "-importcert", "-alias", "client", "-keypass", made.KeyPassword, "-file", reply)...),
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("kafka: key stores of type %s: %w", kind, err)
		}
	}
	return made, nil
}

func keytool(ctx context.Context, args ...string) func() error {
	return func() error {
		if out, err := exec.CommandContext(ctx, "keytool", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("keytool %s: %w: %s", args[0], err, out)
		}
		return nil
	}
}

// answer signs a request for a certificate (PKCS10).
func (a *authority) answer(request, reply string) error {
	text, err := os.ReadFile(request)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("the request is not PEM")
	}
	asked, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return err
	}
	der, err := a.certify(x509.Certificate{Subject: asked.Subject}, asked.PublicKey)
	if err != nil {
		return err
	}
	return os.WriteFile(reply, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
}
