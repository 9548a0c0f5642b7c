package kring

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/kring-go/kring/cluster"
	"github.com/kring-go/kring/sasl"
)

// Errors of security that producers test for with errors.Is.
var (
	// ErrAuthentication: the brokers refuse this client, or it does not trust them:
	// a wrong password, an unknown authority, a certificate for another host.
	// Produce returns it at once instead of waiting for MaxBlock, and goes on to do
	// so until an attempt in the background succeeds; attempts are 1 s apart, then
	// up to 30 s, so that no account gets locked.
	ErrAuthentication = errors.New("kring: authentication failed")
)

// security is how connections are protected. Nothing in it shows a secret when
// it is printed: those lie in closures, and behind pointers.
type security struct {
	tls, sasl bool

	config            *tls.Config // given with TLS; nil: none
	trust, chain, key pemText     // zero: none
	stores            storeSource // nil: none
	leastTLS, mostTLS uint16      // 0: crypto/tls's own
	mechanism         sasl.Mechanism
	noMechanism       bool // SASL(nil)

	skipVerify     bool
	plaintextLogin bool

	// As properties give them: they mean something together only.
	noHostCheck   bool
	trustPEM      bool // ssl.truststore.type=PEM
	keyPEM        bool // ssl.keystore.type=PEM
	javaMechanism string
	jaas          func() string
	oauth         oauthSettings

	// handshake is what cluster calls, nil without TLS.
	handshake func(ctx context.Context, conn net.Conn, host string) (net.Conn, error)
}

// checkSecurityProperties holds the security properties against each other. It
// needs no option, so FromProperties can report what it finds.
func (c *config) checkSecurityProperties() {
	s := &c.security
	if !s.trustPEM && s.trust.ofProperty() {
		c.problem("%s: want ssl.truststore.type=PEM: Java's default is JKS, which can be read, as can PKCS12, "+
			"by FromProperties of the module plugin/kringkeystore in place of kring's", s.trust.words)
	}
	for _, p := range []pemText{s.chain, s.key} {
		if !s.keyPEM && p.ofProperty() {
			c.problem("%s: want ssl.keystore.type=PEM: Java's default is JKS, which can be read, as can PKCS12, "+
				"by FromProperties of the module plugin/kringkeystore in place of kring's", p.words)
		}
	}
	if s.asksJava() {
		if _, err := s.fromJava(); err != nil {
			c.problem("%v", err)
		}
	}
}

// checkSecurity holds everything about security together, and makes of it what
// connections need.
func (c *config) checkSecurity() {
	before := len(c.problems)
	c.checkSecurityProperties()
	c.checkTLS()
	c.checkSASL()
	if s := &c.security; s.tls && len(c.problems) == before {
		source, err := newTLSSource(s, c.logger)
		if err != nil {
			c.problem("%v", err)
			return
		}
		s.handshake = cluster.TLS(source.get)
	}
}

// checkProtocols refuses a bootstrap address that says by its prefix that it
// is not what the connections will speak.
func (c *config) checkProtocols() {
	want := c.security.protocolName()
	for _, given := range c.brokers {
		prefix, _, found := strings.Cut(given, "://")
		if found && isProtocol(prefix) && !strings.EqualFold(prefix, want) {
			c.problem("%s: address %q: connections are %s; change the address, or say security.protocol or TLS and SASL",
				c.words(setBrokers), clip(given), want)
		}
	}
}

// isProtocol knows Java's names of what connections can speak.
func isProtocol(name string) bool {
	switch strings.ToUpper(name) {
	case "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL":
		return true
	}
	return false
}

// protocolName is Java's word for how connections are protected.
func (s *security) protocolName() string {
	switch {
	case s.tls && s.sasl:
		return "SASL_SSL"
	case s.tls:
		return "SSL"
	case s.sasl:
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

func (c *config) checkTLS() {
	s := &c.security
	if !s.tls {
		// Settings of TLS that have no effect would be a promise not kept.
		for _, given := range []struct {
			words string
			given bool
		}{
			{"TLS", s.config != nil},
			{"TLSStores", s.stores != nil},
			{s.trust.words, s.trust.given()},
			{s.chain.words, s.chain.given()},
			{s.key.words, s.key.given()},
			{"ssl.endpoint.identification.algorithm", s.noHostCheck},
			{"InsecureSkipVerify", s.skipVerify},
		} {
			if given.given {
				c.problem("%s has no effect, since connections are %s; set security.protocol=SSL or SASL_SSL, or give TLS(nil)",
					given.words, s.protocolName())
			}
		}
		return
	}
	if s.chain.given() != s.key.given() {
		c.problem("a client certificate needs its private key, and a key its certificate: give both or none "+
			"(%s)", strings.TrimSpace(s.chain.words+s.key.words))
	}
	if s.noHostCheck && !s.skipVerify {
		c.problem("ssl.endpoint.identification.algorithm is empty, which would accept any trusted certificate for any host: " +
			"leave it out, or give InsecureSkipVerify() to verify nothing")
	}
	if t := s.config; t != nil && (t.MinVersion != 0 && t.MinVersion < tls.VersionTLS12 || t.MaxVersion != 0 && t.MaxVersion < tls.VersionTLS12) {
		c.problem("TLS: the settings allow versions before TLS 1.2, which are broken; raise MinVersion and MaxVersion")
	}
}

func (c *config) checkSASL() {
	s := &c.security
	if !s.sasl {
		if s.mechanism != nil || s.javaMechanism != "" || s.asksJava() {
			c.problem("the SASL login has no effect, since connections are %s; set security.protocol=SASL_SSL", s.protocolName())
		}
		return
	}
	if s.javaMechanism != "" && s.asksJava() {
		made, err := s.fromJava()
		if err != nil {
			return // reported by checkSecurityProperties
		}
		s.mechanism = made
	}
	switch {
	case s.noMechanism:
		c.problem("SASL: the mechanism is nil")
		return
	case s.mechanism == nil && s.javaMechanism == oauthBearer:
		c.problem("sasl.mechanism=OAUTHBEARER needs sasl.oauthbearer.token.endpoint.url with a client's id and secret, " +
			"or an option SASL(sasl.OAuthBearer(...))")
		return
	case s.mechanism == nil && s.javaMechanism != "":
		c.problem("sasl.mechanism=%s needs sasl.jaas.config, or an option SASL(...) with the credentials", s.javaMechanism)
		return
	case s.mechanism == nil:
		c.problem("security.protocol=%s needs sasl.mechanism and sasl.jaas.config, or an option SASL(...)", s.protocolName())
		return
	case s.javaMechanism != "" && s.mechanism.Name() != s.javaMechanism:
		c.problem("sasl.mechanism=%s contradicts SASL(%s)", s.javaMechanism, s.mechanism.Name())
	}
	if m, ok := s.mechanism.(interface{ Check() error }); ok {
		if err := m.Check(); err != nil {
			c.problem("SASL %s: %v", s.mechanism.Name(), err)
		}
	}
	if s.mechanism.RevealsSecret() && !s.tls && !s.plaintextLogin {
		c.problem("SASL %s sends its secret in the clear, and connections are not encrypted: use TLS (security.protocol=SASL_SSL), "+
			"or a SCRAM mechanism, or permit it with InsecurePlaintextLogin() or kring.insecure.plaintext.login=true", s.mechanism.Name())
	}
}

// warnInsecure says once what was permitted on purpose.
func (c *config) warnInsecure() {
	s := &c.security
	own := s.config != nil && s.config.InsecureSkipVerify && s.config.VerifyConnection == nil && s.config.VerifyPeerCertificate == nil
	if s.tls && (s.skipVerify || own) {
		c.logger.Warn("kring: INSECURE: the brokers' certificates are not verified; anybody on the way can read and change everything")
	}
	if s.mechanism != nil && s.mechanism.RevealsSecret() && !s.tls {
		c.logger.Warn("kring: INSECURE: the login is sent in the clear", "mechanism", s.mechanism.Name())
	}
}

// authError puts ErrAuthentication around an error that is about it.
func authError(err error) error {
	if errors.As(err, new(*cluster.AuthError)) && !errors.Is(err, ErrAuthentication) {
		return fmt.Errorf("%w: %w", ErrAuthentication, err)
	}
	return err
}
