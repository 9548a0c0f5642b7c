package rig

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Kerberos is a node whose listeners want GSSAPI, and what clients need to know
// for them. Lines go into Configure, or into a test's need.
type Kerberos struct {
	Lines []string

	Plain string // without TLS: kafka/localhost, with keys of AES256SHA1 only
	TLS   string // with TLS: kafka/127.0.0.1, with keys of AES256SHA384 only
	Stale string // without TLS: stale/localhost, whose keys StaleKeys changes
	CA    string // PEM file of the authority that signed the certificate of TLS
}

// Kerberos makes the brokers' principals and keytabs, a certificate, and the
// configuration of one node that uses them. Logins end after session. The KDC
// must run when the node starts.
func (r *Rig) Kerberos(ctx context.Context, dir string, k *KDC, session time.Duration) (*Kerberos, error) {
	port := func(i int) int { return r.basePort + securePort + i }
	n := &Kerberos{
		Plain: fmt.Sprintf("localhost:%d", port(0)), TLS: fmt.Sprintf("127.0.0.1:%d", port(1)),
		Stale: fmt.Sprintf("localhost:%d", port(2)),
	}
	var certificates Security
	if err := certificates.certificates(dir); err != nil {
		return nil, fmt.Errorf("kafka: certificates: %w", err)
	}
	n.CA = certificates.CA
	others := "PLAINTEXT://" + r.address(1)
	n.Lines = []string{
		javaLine + "-Djava.security.krb5.conf=" + k.Conf,
		fmt.Sprintf("listeners=%s,KRB://127.0.0.1:%d,KRBTLS://127.0.0.1:%d,STALE://127.0.0.1:%d,CONTROLLER://%s",
			others, port(0), port(1), port(2), r.controllerAddress(1)),
		"advertised.listeners=" + strings.Join([]string{others, "KRB://" + n.Plain, "KRBTLS://" + n.TLS, "STALE://" + n.Stale}, ","),
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,KRB:SASL_PLAINTEXT,KRBTLS:SASL_SSL,STALE:SASL_PLAINTEXT",
		"sasl.enabled.mechanisms=GSSAPI",
		"ssl.keystore.type=PEM",
		"ssl.keystore.location=" + filepath.Join(dir, "broker.pem"),
	}
	for _, broker := range []struct{ listener, service, host, keys string }{
		{"krb", "kafka", "localhost", AES256SHA1},
		{"krbtls", "kafka", "127.0.0.1", AES256SHA384},
		{"stale", "stale", "localhost", AES256SHA1},
	} {
		principal := broker.service + "/" + broker.host
		if err := k.Admin(ctx, "addprinc -randkey -e "+broker.keys+":normal "+principal); err != nil {
			return nil, err
		}
		keytab, err := k.Keytab(ctx, broker.listener+".keytab", principal)
		if err != nil {
			return nil, err
		}
		prefix := "listener.name." + broker.listener + "."
		n.Lines = append(n.Lines,
			prefix+"sasl.kerberos.service.name="+broker.service,
			fmt.Sprintf("%sgssapi.sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required "+
				`useKeyTab=true storeKey=true keyTab="%s" principal="%s@%s";`, prefix, keytab, principal, Realm),
			fmt.Sprintf("%sconnections.max.reauth.ms=%d", prefix, session.Milliseconds()))
	}
	return n, nil
}

// StaleKeys gives a broker's principal new keys, which its keytab does not have.
func (n *Kerberos) StaleKeys(ctx context.Context, k *KDC) error {
	return k.Admin(ctx, "cpw -randkey -e "+AES256SHA1+":normal stale/localhost")
}
