package rig

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// securePort is how far above the plain listeners the secure ones begin.
const securePort = 50

// Security is a node with listeners for every protocol, and what clients need
// to know for them. Lines go into Configure, or into a test's need.
type Security struct {
	Lines []string

	SSL       string // TLS, a client certificate is required
	SASLSSL   string // TLS and a login
	SASLPlain string // a login without TLS; besides, with unsecured tokens
	Elsewhere string // TLS, with a certificate for another host

	CA         string // PEM file of the authority that signed everything
	StrangerCA string // PEM file of one that signed nothing
	Client     string // PEM file of a client's certificate and key
	User       string // the PLAIN user of the two SASL listeners
	Password   string

	authority *authority // of CA
}

// Secure makes certificates in a folder, and the configuration of one node that
// uses them. Logins end after session.
func (r *Rig) Secure(dir string, session time.Duration) (*Security, error) {
	s := &Security{User: "app", Password: "app-" + clusterID()}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", r.basePort+securePort+i) }
	s.SSL, s.SASLSSL, s.SASLPlain, s.Elsewhere = at(0), at(1), at(2), at(3)
	if err := s.certificates(dir); err != nil {
		return nil, fmt.Errorf("kafka: certificates: %w", err)
	}
	names := []string{
		"PLAINTEXT://" + r.address(1), "SSL://" + s.SSL, "SASL_SSL://" + s.SASLSSL,
		"LOGIN://" + s.SASLPlain, "ELSEWHERE://" + s.Elsewhere,
	}
	s.Lines = []string{
		"listeners=" + strings.Join(append(names, "CONTROLLER://"+r.controllerAddress(1)), ","),
		"advertised.listeners=" + strings.Join(names, ","),
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL," +
			"LOGIN:SASL_PLAINTEXT,ELSEWHERE:SSL",
		"ssl.keystore.type=PEM",
		"ssl.keystore.location=" + filepath.Join(dir, "broker.pem"),
		"ssl.truststore.type=PEM",
		"ssl.truststore.location=" + s.CA,
		"listener.name.ssl.ssl.client.auth=required",
		"listener.name.elsewhere.ssl.keystore.type=PEM",
		"listener.name.elsewhere.ssl.keystore.location=" + filepath.Join(dir, "elsewhere.pem"),
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		// Without a handler of its own a broker takes tokens that nobody has signed.
		"listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"listener.name.login.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule " +
			`required unsecuredLoginStringClaim_sub="broker";`,
	}
	for _, listener := range []string{"sasl_ssl", "login"} {
		prefix := "listener.name." + listener + "."
		const security = ".sasl.jaas.config=org.apache.kafka.common.security."
		s.Lines = append(s.Lines,
			prefix+"plain"+security+`plain.PlainLoginModule required user_`+s.User+`="`+s.Password+`";`,
			prefix+"scram-sha-256"+security+"scram.ScramLoginModule required;",
			prefix+"scram-sha-512"+security+"scram.ScramLoginModule required;",
			fmt.Sprintf("%sconnections.max.reauth.ms=%d", prefix, session.Milliseconds()))
	}
	return s, nil
}

// certificates writes ca.pem, stranger.pem and, each with its key,
// broker.pem, elsewhere.pem and client.pem.
func (s *Security) certificates(dir string) error {
	s.CA, s.StrangerCA = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "stranger.pem")
	s.Client = filepath.Join(dir, "client.pem")
	ca, err := newAuthority(s.CA)
	if err != nil {
		return err
	}
	s.authority = ca
	if _, err := newAuthority(s.StrangerCA); err != nil {
		return err
	}
	for _, leaf := range []struct {
		path string
		x509.Certificate
	}{
		{filepath.Join(dir, "broker.pem"), x509.Certificate{DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}},
		{filepath.Join(dir, "elsewhere.pem"), x509.Certificate{DNSNames: []string{"elsewhere.example"}}},
		{s.Client, x509.Certificate{Subject: pkix.Name{CommonName: "client"}}},
	} {
		if err := ca.sign(leaf.path, leaf.Certificate); err != nil {
			return err
		}
	}
	return nil
}

// authority is a certificate that signs others.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(path string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := dated(x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority " + clusterID()}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &authority{certificate, key}, os.WriteFile(path, text, 0o600)
}

// sign writes a certificate, and its key in the form that Java reads.
func (a *authority) sign(path string, template x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := a.certify(template, &key.PublicKey)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	return os.WriteFile(path, text, 0o600)
}

// certify signs a certificate for somebody's key.
func (a *authority) certify(template x509.Certificate, public any) (der []byte, err error) {
	template = dated(template)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	return x509.CreateCertificate(rand.Reader, &template, a.certificate, public, a.key)
}

func dated(c x509.Certificate) x509.Certificate {
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	return c
}

// AddScramUser gives a user a password for SCRAM-SHA-256 and SCRAM-SHA-512.
func (a *Admin) AddScramUser(ctx context.Context, user, password string) error {
	// A request may name a user once.
	for mechanism, hash := range map[int8]func() hash.Hash{1: sha256.New, 2: sha512.New} {
		if err := a.addScramUser(ctx, user, password, mechanism, hash); err != nil {
			return fmt.Errorf("kafka: user %s: %w", user, err)
		}
	}
	return nil
}

func (a *Admin) addScramUser(ctx context.Context, user, password string, mechanism int8, hash func() hash.Hash) error {
	const iterations = 4096
	salt := []byte(clusterID())
	salted, err := pbkdf2.Key(hash, password, salt, iterations, hash().Size())
	if err != nil {
		return err
	}
	upsertion := kmsg.NewAlterUserSCRAMCredentialsRequestUpsertion()
	upsertion.Name, upsertion.Mechanism, upsertion.Iterations = user, mechanism, iterations
	upsertion.Salt, upsertion.SaltedPassword = salt, salted
	request := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
	request.Upsertions = append(request.Upsertions, upsertion)
	answer, err := request.RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	for _, r := range answer.Results {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
