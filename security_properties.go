package kring

import (
	"crypto/tls"
	"slices"
	"strings"
)

// securityProperties are those of TLS and SASL. Their values are never quoted:
// some are secrets, and others stand next to them.
func securityProperties() []property {
	return append(oauthProperties(), []property{
		{"security.protocol", setProtocolProperty},
		{"sasl.mechanism", setMechanismProperty},
		{"sasl.jaas.config", func(c *config, _ property, value string) {
			c.security.jaas = nil
			if value != "" {
				c.security.jaas = func() string { return value }
			}
		}},
		{"ssl.endpoint.identification.algorithm", func(c *config, p property, value string) {
			c.security.noHostCheck = value == ""
			if value != "" && !strings.EqualFold(value, "https") {
				c.problem("%s: want https", p.name)
			}
		}},
		{"ssl.enabled.protocols", setTLSVersionsProperty},
		storeTypeProperty("ssl.truststore.type", func(s *security) *bool { return &s.trustPEM }),
		storeTypeProperty("ssl.keystore.type", func(s *security) *bool { return &s.keyPEM }),
		pemProperty("ssl.truststore.location", pemFile, func(s *security) []*pemText { return []*pemText{&s.trust} }),
		pemProperty("ssl.truststore.certificates", pemValue, func(s *security) []*pemText { return []*pemText{&s.trust} }),
		pemProperty("ssl.keystore.location", pemFile, func(s *security) []*pemText { return []*pemText{&s.chain, &s.key} }),
		pemProperty("ssl.keystore.certificate.chain", pemValue, func(s *security) []*pemText { return []*pemText{&s.chain} }),
		pemProperty("ssl.keystore.key", pemValue, func(s *security) []*pemText { return []*pemText{&s.key} }),
		permission("kring.insecure.skip.verify", func(s *security) *bool { return &s.skipVerify }),
		permission("kring.insecure.plaintext.login", func(s *security) *bool { return &s.plaintextLogin }),
	}...)
}

func setProtocolProperty(c *config, p property, value string) {
	s := &c.security
	switch strings.ToUpper(value) {
	case "PLAINTEXT":
		s.tls, s.sasl = false, false
	case "SSL":
		s.tls, s.sasl = true, false
	case "SASL_PLAINTEXT":
		s.tls, s.sasl = false, true
	case "SASL_SSL":
		s.tls, s.sasl = true, true
	default:
		c.problem("%s: want PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL", p.name)
	}
}

// setMechanismProperty takes Java's default, GSSAPI, for none: without SASL it
// has no effect, and with SASL the check that a mechanism is there finds it.
func setMechanismProperty(c *config, p property, value string) {
	switch value {
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER":
		c.security.javaMechanism = value
	case "GSSAPI":
		c.security.javaMechanism = ""
	case "AWS_MSK_IAM":
		c.problem("%s: AWS_MSK_IAM needs the option SASL with the mechanism of the module plugin/kringmsk; leave the property out", p.name)
	default:
		c.problem("%s: want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", p.name)
	}
}

func setTLSVersionsProperty(c *config, p property, value string) {
	s := &c.security
	var versions []string
	for version := range strings.SplitSeq(value, ",") {
		versions = append(versions, strings.TrimSpace(version))
	}
	slices.Sort(versions)
	switch strings.Join(versions, ",") {
	case "TLSv1.2,TLSv1.3":
		s.leastTLS, s.mostTLS = 0, 0
	case "TLSv1.2":
		s.leastTLS, s.mostTLS = 0, tls.VersionTLS12
	case "TLSv1.3":
		s.leastTLS, s.mostTLS = tls.VersionTLS13, 0
	default:
		c.problem("%s: want TLSv1.2, TLSv1.3 or both", p.name)
	}
}

// storeTypeProperty takes Java's default, JKS, which does no harm as long as
// there is no store.
func storeTypeProperty(name string, at func(*security) *bool) property {
	return property{name, func(c *config, p property, value string) {
		*at(&c.security) = strings.EqualFold(value, "PEM")
		if !strings.EqualFold(value, "PEM") && value != "JKS" {
			c.problem("%s: want PEM; for JKS and PKCS12, use FromProperties of the module plugin/kringkeystore in place of kring's", p.name)
		}
	}}
}

// pemProperty is a store. Two properties for one store exclude each other.
func pemProperty(name string, source func(words, value string) pemText, at func(*security) []*pemText) property {
	return property{name, func(c *config, p property, value string) {
		if value == "" { // Java's null
			return
		}
		for _, field := range at(&c.security) {
			if field.ofProperty() && field.words != p.name {
				c.problem("%s and %s are both given; one of them is enough", field.words, p.name)
			}
			*field = source(p.name, value)
		}
	}}
}

// permission is kring's own: Java needs none for what it permits.
func permission(name string, at func(*security) *bool) property {
	return property{name, func(c *config, p property, value string) {
		on, ok := readSwitch(value)
		if !ok {
			c.problem("%s: want true or false", p.name)
			return
		}
		*at(&c.security) = on
	}}
}
