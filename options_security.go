package kring

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/kring-go/kring/sasl"
)

// TLS encrypts every connection and verifies the broker: its certificate must
// be signed by an authority of settings.RootCAs (nil: the system's), must not be
// expired, and must be for the host that is dialled. The settings are cloned; nil
// means empty ones. At least TLS 1.2 is spoken: New refuses settings that
// allow less. A ServerName in them is demanded of every broker in place of its
// host. Java: security.protocol=SSL or SASL_SSL.
func TLS(settings *tls.Config) Option {
	return option(func(c *config) {
		c.security.tls = true
		c.security.config = &tls.Config{}
		if settings != nil {
			c.security.config = settings.Clone()
		}
	})
}

// TLSFiles is TLS with PEM files: the authorities that may sign the brokers'
// certificates, and, for brokers that want to know their clients (mTLS), a
// certificate with its chain and its private key. Without a ca the system's
// authorities count; cert and key come together or not at all, and may be one
// file. Given with TLS, the files replace what its settings say of the same.
//
// The files are read for every new connection, so a certificate that is
// replaced on disk serves the connections after that. A pair that does not fit,
// because only one of its files is replaced so far, is logged, and the last
// good one is used. New fails if there is no good one yet. Encrypted keys are
// not supported. Java's JKS and PKCS12 are for the module plugin/kringkeystore.
// Java: ssl.truststore.location, ssl.keystore.location, PEM.
func TLSFiles(ca, cert, key string) Option {
	return option(func(c *config) {
		s := &c.security
		s.tls = true
		s.trust, s.chain, s.key = pemFile("TLSFiles", ca), pemFile("TLSFiles", cert), pemFile("TLSFiles", key)
	})
}

// TLSStores is TLS with what a function has at the moment: the authorities that
// may sign the brokers' certificates (nil: those of TLS, or the system's), and
// client certificates with their keys (none: those of TLS). It is for what is not
// in PEM files: the module plugin/kringkeystore reads Java's JKS and PKCS12 with
// it, and a function that asks a vault or an agent needs nothing else.
//
// Of several certificates the broker is sent the first whose kind of key and
// whose authorities it takes, and the first of all if it takes none. The function
// is called by New and for every new connection, one call at a time for each
// producer; it should answer at once, since the connection waits. What it returns
// is not changed, here or there. If it fails, that is logged, and what it
// returned before is used; if it never succeeded, New fails. TLSFiles for the same
// purpose is refused. nil is no function. Java: ssl.engine.factory.class.
func TLSStores(source func() (trust *x509.CertPool, keys []tls.Certificate, err error)) Option {
	return option(func(c *config) { c.security.tls, c.security.stores = true, source })
}

// SASL logs in on every connection, with a mechanism of package sasl or one of
// the caller's own. Logins that end by themselves (connections.max.reauth.ms of
// the broker, or the end of a token) are renewed before: a new connection takes
// over between two requests, and nothing that is under way is lost (KIP-368).
// Where RequireAcks(AcksNone) leaves nothing to wait for, records around that
// moment can change order.
//
// PLAIN and OAUTHBEARER are refused without TLS, since they would show the
// secret to everybody on the way. Java: sasl.mechanism, sasl.jaas.config.
func SASL(mechanism sasl.Mechanism) Option {
	return option(func(c *config) {
		s := &c.security
		s.sasl, s.mechanism, s.noMechanism = true, mechanism, mechanism == nil
		s.javaMechanism, s.jaas, s.oauth = "", nil, oauthSettings{}
	})
}

// InsecureSkipVerify accepts any certificate for any host, so that whoever is
// on the way can read and change everything, the login included. It is for
// tests; New logs a warning. Property: kring.insecure.skip.verify=true.
func InsecureSkipVerify() Option {
	return option(func(c *config) { c.security.skipVerify = true })
}

// InsecurePlaintextLogin permits SASL mechanisms that show their secret on
// connections without TLS, for clusters whose network is trusted; New logs a
// warning. Property: kring.insecure.plaintext.login=true.
func InsecurePlaintextLogin() Option {
	return option(func(c *config) { c.security.plaintextLogin = true })
}
