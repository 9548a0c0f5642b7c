//go:build cgo

package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/sasl"
)

// secure puts Java's properties about connections into librdkafka's words, which
// differ for PEM files and for users. What it has no word for is refused as not
// available: key stores of Java's own format, tokens, Kerberos.
func secure(config *kafka.ConfigMap, s *bench.Settings) error {
	if !s.Secured() {
		return nil
	}
	for _, name := range sortedConnecting(s.Props) {
		value := strings.TrimSpace(s.Props[name])
		words, known := renamed(name)
		switch {
		case name == "sasl.jaas.config":
			user, password, err := userOf(value)
			if err != nil {
				return bench.SkippedError(fmt.Errorf("skipped: %s: %w", name, err))
			}
			(*config)["sasl.username"], (*config)["sasl.password"] = user, password
		case strings.HasSuffix(name, "store.type"):
			if !strings.EqualFold(value, "PEM") {
				return bench.SkippedError(fmt.Errorf("skipped: %s: it reads PEM, and no JKS", name))
			}
		case name == "ssl.endpoint.identification.algorithm" && value == "":
			(*config)[name] = "none"
		case !known || storeWithoutType(name, s.Props):
			return bench.SkippedError(fmt.Errorf("skipped: it is not told what %s means", name))
		default:
			for _, word := range words {
				(*config)[word] = value
			}
		}
	}
	return nil
}

// storeWithoutType says that a file is of Java's default type, JKS.
func storeWithoutType(name string, props map[string]string) bool {
	prefix, isFile := strings.CutSuffix(name, ".location")
	return isFile && props[prefix+".type"] == ""
}

// renamed is what a property is called here.
func renamed(name string) (words []string, known bool) {
	words, known = map[string][]string{
		"security.protocol": {"security.protocol"}, "sasl.mechanism": {"sasl.mechanism"},
		"ssl.endpoint.identification.algorithm": {"ssl.endpoint.identification.algorithm"},
		"ssl.truststore.location":               {"ssl.ca.location"}, "ssl.truststore.certificates": {"ssl.ca.pem"},
		"ssl.keystore.location":          {"ssl.certificate.location", "ssl.key.location"}, // one file has both
		"ssl.keystore.certificate.chain": {"ssl.certificate.pem"}, "ssl.keystore.key": {"ssl.key.pem"},
	}[name]
	return words, known
}

// userOf reads the login module of PLAIN and of SCRAM.
func userOf(config string) (user, password string, err error) {
	module, options, err := sasl.ParseJAAS(config)
	switch {
	case err != nil:
		return "", "", err
	case !strings.HasSuffix(module, ".PlainLoginModule") && !strings.HasSuffix(module, ".ScramLoginModule"):
		return "", "", errors.New("it is told users and passwords only")
	}
	return options["username"], options["password"], nil
}

// sortedConnecting are the names that say how to connect.
func sortedConnecting(props map[string]string) []string {
	names := slices.Sorted(maps.Keys(props))
	return slices.DeleteFunc(names, func(name string) bool { return !bench.Connecting(name) })
}
