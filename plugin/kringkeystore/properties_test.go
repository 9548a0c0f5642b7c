package kringkeystore

import (
	"maps"
	"strings"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/kring-go/kring"
)

// TestFileOfJava: a client.properties is taken as it is.
func TestFileOfJava(t *testing.T) {
	ca := newPair(t, "ca", "EC", nil)
	key := write(t, "client.p12", p12(t, pkcs12.Modern2023, canaryKey, newPair(t, "app", "EC", ca), ca))
	trust := write(t, "trust.jks", jks(t, canaryKey, "", nil, map[string]*pair{"ca": ca}))
	properties, err := kring.ReadProperties(strings.NewReader(`# of the platform team
bootstrap.servers=127.0.0.1:1
security.protocol=SSL
ssl.truststore.location=` + trust + `
ssl.truststore.password=` + canaryKey + `
ssl.keystore.type=PKCS12
ssl.keystore.location=` + key + `
ssl.keystore.password: ` + canaryKey + `  
ssl.key.password ` + canaryKey + `
ssl.endpoint.identification.algorithm=https
acks=all
`))
	if err != nil {
		t.Fatal(err)
	}
	before := maps.Clone(properties)
	options, err := FromProperties(properties)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(properties, before) {
		t.Error("the caller's properties were changed")
	}
	p, err := kring.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = kring.FromProperties(properties)
	complains(t, err, "ssl.keystore.type: want PEM; for JKS and PKCS12, use FromProperties of the module plugin/kringkeystore",
		"ssl.truststore.location: want ssl.truststore.type=PEM", "ssl.key.password: not supported; stores are PEM files without a password; for JKS")
}

func TestFromProperties(t *testing.T) {
	ca := newPair(t, "ca", "EC", nil)
	key := write(t, "client.jks", jks(t, canaryKey, canaryKey, map[string][]*pair{"app": {newPair(t, "app", "EC", ca)}}, nil))
	trust := write(t, "trust.jks", jks(t, canaryKey, "", nil, map[string]*pair{"ca": ca}))
	type m = map[string]string
	for _, tc := range []struct {
		name       string
		properties m
		behind     []kring.Option
		want       string // in the error; empty: none
		late       bool   // the error is New's
	}{
		{"nothing of TLS", m{"acks": "1"}, nil, "", false},
		{"nil", nil, nil, "", false},
		{"a trust store", m{"security.protocol": "SSL", "ssl.truststore.location": trust}, nil, "", false},
		{"types without stores", m{"ssl.keystore.type": "PKCS12", "ssl.truststore.type": "JKS", "ssl.key.password": ""}, nil, "", false},
		{"PEM is kring's", m{"security.protocol": "SSL", "ssl.truststore.type": "pem", "ssl.truststore.location": trust}, nil, "ssl.truststore.location: no certificate was found", true},
		{"PEM and JKS", m{"security.protocol": "SSL", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": "x", "ssl.keystore.location": key, "ssl.keystore.password": canaryKey}, nil, "ssl.truststore.certificates: no certificate", true},
		{"a password for PEM", m{"ssl.truststore.type": "PEM", "ssl.truststore.location": trust, "ssl.truststore.password": canary}, nil, "PEM files without a password", false},
		{"no TLS", m{"ssl.truststore.location": trust}, nil, "TLSStores has no effect, since connections are PLAINTEXT", true},
		{"not TLS", m{"security.protocol": "SASL_PLAINTEXT", "ssl.truststore.location": trust}, nil, "TLSStores has no effect, since connections are SASL_PLAINTEXT", true},
		{"TLS by an option", m{"ssl.truststore.location": trust}, []kring.Option{kring.TLS(nil)}, "", false},
		{"files besides", m{"security.protocol": "SSL", "ssl.truststore.location": trust}, []kring.Option{kring.TLSFiles(trust, "", "")}, "no certificate was found", true},
		{"a wrong password", m{"security.protocol": "SSL", "ssl.truststore.location": trust, "ssl.truststore.password": canary}, nil, "ssl.truststore.location " + trust + ": the password is wrong", true},
		{"a missing file", m{"security.protocol": "SSL", "ssl.keystore.location": "/none", "ssl.keystore.password": canary}, nil, "ssl.keystore.location /none: no such file", true},
		{"no password", m{"ssl.keystore.location": key}, nil, "ssl.keystore.location: ssl.keystore.password is missing", false},
		{"no store", m{"ssl.keystore.password": canary}, nil, "ssl.keystore.location is missing, and a password is given for it", false},
		{"no store, a password for its key", m{"ssl.key.password": canary}, nil, "ssl.keystore.location is missing", false},
		{"no trust store", m{"ssl.truststore.password": canary}, nil, "ssl.truststore.location is missing", false},
		{"another type", m{"ssl.keystore.type": "BCFKS", "ssl.keystore.location": key, "ssl.keystore.password": canary}, nil, "ssl.keystore.type: want JKS, PKCS12 or PEM", false},
		{"a problem of kring's", m{"ssl.keystore.location": key, "linger.ms": "soon"}, nil, "linger.ms=\"soon\": want", false},
		{"an unknown one", m{"ssl.keystore.pasword": canary}, nil, "did you mean ssl.keystore.password?", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			options, err := FromProperties(tc.properties)
			if err == nil && tc.late || tc.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				var p *kring.Producer
				if p, err = kring.New(append(append(options, kring.Brokers("127.0.0.1:1")), tc.behind...)...); err == nil {
					if err := p.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
			if tc.want != "" {
				complains(t, err, tc.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}
