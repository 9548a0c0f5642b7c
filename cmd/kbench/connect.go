package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench"
	"github.com/kring-go/kring/plugin/kringgssapi"
	"github.com/kring-go/kring/plugin/kringkeystore"
)

// readJava makes options of a Java client's properties, with its key stores and
// its Kerberos.
func readJava(properties map[string]string) ([]kring.Option, error) {
	login, rest, problem := kringgssapi.FromJava(properties, kringgssapi.Settings{Krb5Conf: os.Getenv("KRB5_CONFIG")})
	options, err := kringkeystore.FromProperties(rest)
	if err := errors.Join(problem, err); err != nil {
		return nil, err
	}
	if login != nil {
		options = append(options, kring.SASL(login))
	}
	return options, nil
}

// connectFlags say how to connect to a cluster that wants TLS or a login, for
// commands that measure no client of their own settings.
type connectFlags struct {
	ConfigFile string   `aliases:"command-config,producer.config" help:"File of a client's properties: how to connect is taken from it (bootstrap.servers, security.*, ssl.*, sasl.*), the rest is not." placeholder:"FILE"`
	Property   []string `short:"X" sep:"none" aliases:"command-property" help:"One such property, in Java's words; repeatable." placeholder:"NAME=VALUE"`
}

// properties are those that say how to connect; brokers are the flag's, or the
// file's.
func (c *connectFlags) properties(brokers string) (props map[string]string, addresses string, err error) {
	props = map[string]string{}
	if c.ConfigFile != "" {
		if props, err = readProps(c.ConfigFile, nil); err != nil {
			return nil, "", fmt.Errorf("--config-file: %w", err)
		}
	}
	brokers = cmp.Or(brokers, props["bootstrap.servers"])
	maps.DeleteFunc(props, func(name, _ string) bool { return !bench.Connecting(name) })
	given, err := bench.ParseProps(c.Property)
	if err != nil {
		return nil, "", err
	}
	for name, value := range given {
		if !bench.Connecting(name) {
			return nil, "", fmt.Errorf("-X %s: only how to connect can be said here: security.*, ssl.*, sasl.*", name)
		}
		props[name] = value
	}
	return props, brokers, nil
}

// access is the way to the brokers.
func (c *connectFlags) access(brokers string) (*bench.Access, error) {
	props, brokers, err := c.properties(brokers)
	if err != nil {
		return nil, bench.UsageError(err)
	}
	s := bench.Settings{Brokers: addresses(brokers), Props: props, Read: readJava}
	if len(s.Brokers) == 0 {
		return nil, nil // There is nowhere to go.
	}
	for _, address := range s.Brokers {
		if err := bench.CheckAddress("--brokers", address); err != nil {
			return nil, bench.UsageError(err)
		}
	}
	return s.Access()
}

// addresses splits the value of --brokers.
func addresses(list string) []string {
	var out []string
	for address := range strings.SplitSeq(list, ",") {
		if address = strings.TrimSpace(address); address != "" {
			out = append(out, address)
		}
	}
	return out
}
