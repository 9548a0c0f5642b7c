package kringkeystore

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/kring-go/kring"
)

// FromProperties makes options of a Java producer's properties, as
// kring.FromProperties does, and takes key stores and trust stores of the types
// JKS and PKCS12 besides. Everything else is kring's to read, PEM included.
// Options that stand behind these in New win over them.
//
// Of the stores, their location, type and password count, and ssl.key.password,
// as in Java: a key store needs a password, and a password a store. The files are
// read by New, and again for every new connection, see TLS. As everywhere in
// kring, stores without TLS (security.protocol=SSL or SASL_SSL) are refused by
// New. Every problem with the properties is reported at once, without values,
// since some are secrets.
func FromProperties(properties map[string]string) ([]kring.Option, error) {
	s := splitter{rest: maps.Clone(properties)}
	if s.rest == nil {
		s.rest = map[string]string{}
	}
	key := s.take("ssl.keystore", "ssl.key.password")
	if key.Path != "" && key.Password == nil {
		s.problem("ssl.keystore.location: ssl.keystore.password is missing")
	}
	trust := s.take("ssl.truststore", "")
	stores := key.Path != "" || trust.Path != ""
	if _, given := s.rest["security.protocol"]; stores && !given {
		s.rest["security.protocol"] = "PLAINTEXT" // Java's default; TLS would change it
	}
	others, err := kring.FromProperties(s.rest)
	if err := errors.Join(append(s.problems, err)...); err != nil {
		return nil, err
	}
	if !stores {
		return []kring.Option{others}, nil
	}
	// The protocol is behind TLS, and decides.
	return []kring.Option{TLS(trust, key), others}, nil
}

// splitter takes out of the properties what kring does not read.
type splitter struct {
	rest     map[string]string
	problems []error
}

func (s *splitter) problem(format string, args ...any) {
	s.problems = append(s.problems, fmt.Errorf("kringkeystore: "+format, args...))
}

// pop removes a property. Blanks around values do not count in Java.
func (s *splitter) pop(name string) string {
	value := strings.TrimSpace(s.rest[name])
	delete(s.rest, name)
	return value
}

// secret removes a property that is a password; nil: it was not given.
func (s *splitter) secret(name string) func() (string, error) {
	if value := s.pop(name); value != "" {
		return Secret(value)
	}
	return nil
}

// take removes the properties of one store, unless it is PEM. keyPassword is
// the name of one more; empty: none.
func (s *splitter) take(prefix, keyPassword string) Store {
	location, kind := prefix+".location", prefix+".type"
	if strings.EqualFold(strings.TrimSpace(s.rest[kind]), "PEM") {
		return Store{}
	}
	store := Store{Path: strings.TrimSpace(s.rest[location]), Type: strings.TrimSpace(s.rest[kind]), name: location}
	switch strings.ToUpper(store.Type) {
	case "", "JKS", "PKCS12":
	default:
		s.problem("%s: want JKS, PKCS12 or PEM; keytool -importkeystore -deststoretype PKCS12 converts other types", kind)
	}
	delete(s.rest, location)
	delete(s.rest, kind)
	store.Password = s.secret(prefix + ".password")
	if keyPassword != "" {
		store.KeyPassword = s.secret(keyPassword)
	}
	if store.Path == "" && (store.Password != nil || store.KeyPassword != nil) {
		s.problem("%s is missing, and a password is given for it", location)
	}
	return store
}
