package kringgssapi

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"

	"github.com/kring-go/kring"
)

// module writes an entry of Krb5LoginModule.
func module(options string) string { return krb5Module + " required " + options + ";" }

// TestFromJava logs in as Java's properties say, and leaves the rest.
func TestFromJava(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	keys, cache := k.keytabOf("app", canary), k.cache(time.Hour)
	for name, tc := range map[string]struct{ jaas, environment string }{
		"keytab":            {`useKeyTab=true storeKey=true keyTab="` + keys + `" principal="app@` + realm + `"`, ""},
		"the usual realm":   {`useKeyTab=true keyTab="FILE:` + keys + `" principal=app debug=false doNotPrompt=true isInitiator=true`, ""},
		"ticket cache":      {`useTicketCache=true ticketCache="` + cache + `"`, ""},
		"cache of somebody": {`useTicketCache=True ticketCache="` + cache + `" principal="app"`, ""},
		"whose realm":       {`useTicketCache=true ticketCache="` + cache + `" principal="app@` + realm + `" serviceName=kafka`, ""},
		"the environment's": {`useTicketCache=true renewTGT=false useKeyTab=false`, "FILE:" + cache},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KRB5CCNAME", tc.environment)
			properties := map[string]string{
				"bootstrap.servers": "127.0.0.1:1", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI",
				"sasl.kerberos.service.name": " kafka ", "sasl.jaas.config": module(tc.jaas), "acks": "all",
			}
			before := maps.Clone(properties)
			m, rest, err := FromJava(properties, Settings{Krb5Conf: k.conf, ServiceName: "other"})
			if err != nil {
				t.Fatal(err)
			}
			login(t, k, m)
			delete(before, "sasl.jaas.config")
			delete(before, "sasl.kerberos.service.name")
			if !maps.Equal(rest, before) || len(properties) != len(before)+2 {
				t.Errorf("left: %v, of %v", rest, properties)
			}
			t.Setenv("KRB5_CONFIG", k.conf)
			options, err := FromProperties(properties)
			if err != nil {
				t.Fatal(err)
			}
			p, err := kring.New(options...)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNotAsked: what is no matter of Kerberos is kring's to read.
func TestNotAsked(t *testing.T) {
	for _, properties := range []map[string]string{
		nil,
		{"bootstrap.servers": "127.0.0.1:1", "sasl.kerberos.service.name": ""},
		{"security.protocol": "SSL"},
		{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";`},
	} {
		m, rest, err := FromJava(properties, Settings{})
		if m != nil || err != nil || !maps.Equal(rest, properties) {
			t.Errorf("%v: %v, %v, %v", properties, m, rest, err)
		}
		if options, err := FromProperties(properties); err != nil || len(options) != 1 {
			t.Errorf("%v: %d options, %v", properties, len(options), err)
		}
	}
}

// TestFromJavaProblems: what Java would not take, or what can not be done here, is
// said without values.
func TestFromJavaProblems(t *testing.T) {
	for want, jaas := range map[string]string{
		"it is missing":             " ",
		"want a login module":       canary,
		"another one":               "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"" + canary + "\";",
		"keyTab is missing":         module("useKeyTab=true principal=app"),
		"principal is missing":      module("useKeyTab=true keyTab=\"" + canary + "\" principal=\"*\""),
		"not both":                  module("useKeyTab=true useTicketCache=true"),
		"nobody can be asked":       module("principal=" + canary),
		"debug: want true or false": module("debug=" + canary),
		"does not know":             module("useKeytab=true keyTab=k principal=p"),
		"is for brokers":            module("useKeyTab=true isInitiator=false keyTab=k principal=p"),
		"nobody renews":             module("useTicketCache=true renewTGT=true"),
		"no module has asked":       module("tryFirstPass=true"),
		"is no file":                module(`useTicketCache=true ticketCache="KEYRING:persistent:` + canary + `"`),
		"contradicts":               module("useTicketCache=true serviceName=" + canary),
	} {
		properties := map[string]string{"security.protocol": "SASL_SSL", "sasl.kerberos.service.name": "kafka", "sasl.jaas.config": jaas, "acks": "2"}
		options, err := FromProperties(properties)
		if err == nil || options != nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "acks") || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, %v", want, options, err)
		}
	}
}

// TestOtherCache: a cache that is somebody else's is refused by New.
func TestOtherCache(t *testing.T) {
	k := newKDC(t, etypeID.AES256_CTS_HMAC_SHA1_96)
	t.Setenv("KRB5_CONFIG", k.conf)
	for _, principal := range []string{"other", "app@ELSEWHERE.EXAMPLE"} {
		options, err := FromProperties(map[string]string{
			"bootstrap.servers": "127.0.0.1:1", "security.protocol": "SASL_PLAINTEXT",
			"sasl.jaas.config": module(`useTicketCache=true ticketCache="` + k.cache(time.Hour) + `" principal="` + principal + `"`),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = kring.New(options...); err == nil || !strings.Contains(err.Error(), "another principal's") {
			t.Errorf("%s: %v", principal, err)
		}
	}
}
