//go:build cgo

package main

import (
	"maps"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/kring-go/kring/bench"
)

// TestSecure: Java's properties in librdkafka's words, which it takes.
func TestSecure(t *testing.T) {
	scram := `org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="p;q";`
	for _, tc := range []struct {
		props   map[string]string
		want    kafka.ConfigMap
		skipped bool
	}{
		{map[string]string{"linger.ms": "3"}, kafka.ConfigMap{}, false},
		{
			map[string]string{
				"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256", "sasl.jaas.config": scram,
				"ssl.truststore.type": "PEM", "ssl.truststore.location": "/ca.pem", "ssl.endpoint.identification.algorithm": "",
			},
			kafka.ConfigMap{
				"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": "ann", "sasl.password": "p;q",
				"ssl.ca.location": "/ca.pem", "ssl.endpoint.identification.algorithm": "none",
			},
			false,
		},
		{
			map[string]string{"security.protocol": "SSL", "ssl.keystore.type": "pem", "ssl.keystore.location": "/me.pem"},
			kafka.ConfigMap{"security.protocol": "SSL", "ssl.certificate.location": "/me.pem", "ssl.key.location": "/me.pem"},
			false,
		},
		{map[string]string{"security.protocol": "SSL", "ssl.truststore.location": "/trust.jks"}, nil, true},
		{map[string]string{"security.protocol": "SSL", "ssl.truststore.type": "JKS", "ssl.truststore.location": "/trust.jks"}, nil, true},
		{map[string]string{"security.protocol": "SSL", "ssl.key.password": "x"}, nil, true},
		{map[string]string{"security.protocol": "SASL_SSL", "sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required;"}, nil, true},
	} {
		got := kafka.ConfigMap{}
		err := secure(&got, &bench.Settings{Props: tc.props})
		if skipped := bench.ExitCode(nil, false, err) == bench.ExitSkipped; skipped != tc.skipped || err == nil && !maps.Equal(got, tc.want) {
			t.Errorf("%v: %v, %v, want %v", tc.props, got, err, tc.want)
		}
	}
}
