package kringgssapi

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
)

// FromProperties makes options of a Java producer's properties, as
// kring.FromProperties does, and takes sasl.mechanism=GSSAPI besides: see FromJava.
// Realms and KDCs are those of /etc/krb5.conf, or of the file that the
// environment's KRB5_CONFIG names. Options that stand behind these in New win over
// them.
func FromProperties(properties map[string]string) ([]kring.Option, error) {
	login, rest, problem := FromJava(properties, Settings{Krb5Conf: os.Getenv("KRB5_CONFIG")})
	others, err := kring.FromProperties(rest)
	if err := errors.Join(problem, err); err != nil {
		return nil, err
	}
	if login == nil {
		return []kring.Option{others}, nil
	}
	return []kring.Option{others, kring.SASL(login)}, nil
}

// FromJava makes the login that a Java producer's properties describe, for the
// option kring.SASL, and returns the properties that are left for
// kring.FromProperties, or that of plugin/kringkeystore. Without GSSAPI, which is
// Java's default where security.protocol asks for a login, the login is nil and
// everything is left.
//
// Of Krb5LoginModule in sasl.jaas.config, useKeyTab with keyTab and principal is
// Keytab, and useTicketCache is CCache with ticketCache; without that, with the
// file that the environment's KRB5CCNAME names, or that of kinit. A principal
// beside useTicketCache must be the cache's. sasl.kerberos.service.name, or the
// module's serviceName, is Settings.ServiceName and wins over it. What Java does
// in its own way has no effect: storeKey, doNotPrompt, refreshKrb5Config, debug.
// Errors contain no values.
func FromJava(properties map[string]string, s Settings) (login sasl.Mechanism, rest map[string]string, err error) {
	rest = maps.Clone(properties)
	if !asked(properties) {
		return nil, rest, nil
	}
	delete(rest, serviceName)
	delete(rest, jaasConfig)
	module, options, err := sasl.ParseJAAS(properties[jaasConfig])
	switch {
	case strings.TrimSpace(properties[jaasConfig]) == "":
		err = errors.New("it is missing, and GSSAPI needs it")
	case err == nil && module != krb5Module:
		err = fmt.Errorf("GSSAPI needs the login module %s, and the text names another one", krb5Module)
	}
	if err == nil {
		s, err = s.named(strings.TrimSpace(properties[serviceName]), options["serviceName"])
	}
	if err == nil {
		login, err = s.login(options)
	}
	if err != nil {
		return nil, rest, fmt.Errorf("kringgssapi: %s: %w", jaasConfig, err)
	}
	return login, rest, nil
}

const (
	jaasConfig  = "sasl.jaas.config"
	serviceName = "sasl.kerberos.service.name"
	krb5Module  = "com.sun.security.auth.module.Krb5LoginModule"
)

// asked reports whether the properties want GSSAPI.
func asked(properties map[string]string) bool {
	switch strings.TrimSpace(properties["sasl.mechanism"]) {
	case "GSSAPI":
		return true
	case "":
		return strings.HasPrefix(strings.ToUpper(strings.TrimSpace(properties["security.protocol"])), "SASL_")
	}
	return false
}

// named adds the service's name, which Java takes from either place.
func (s Settings) named(property, option string) (Settings, error) {
	if property != "" && option != "" && property != option {
		return s, fmt.Errorf("serviceName contradicts %s", serviceName)
	}
	for _, name := range []string{option, property} {
		if name != "" {
			s.ServiceName = name
		}
	}
	return s, nil
}

// login is what the options of Krb5LoginModule ask for.
func (s Settings) login(options map[string]string) (sasl.Mechanism, error) {
	on := map[string]bool{}
	for name, value := range options {
		switch name {
		case "keyTab", "principal", "ticketCache", "serviceName":
			continue
		case "useKeyTab", "useTicketCache", "storeKey", "doNotPrompt", "refreshKrb5Config", "debug", "isInitiator", "renewTGT",
			"useFirstPass", "tryFirstPass", "storePass", "clearPass":
		default:
			return nil, errors.New("the login module has an option that Krb5LoginModule does not know")
		}
		yes, err := strconv.ParseBool(strings.ToLower(value))
		if err != nil {
			return nil, fmt.Errorf("%s: want true or false", name)
		}
		on[name] = yes
	}
	_, given := options["isInitiator"]
	switch {
	case given && !on["isInitiator"]:
		return nil, errors.New("isInitiator=false is for brokers")
	case on["renewTGT"]:
		return nil, errors.New("renewTGT=true: nobody renews the cache's ticket here; use a keytab, or have kinit renew it")
	case on["useFirstPass"], on["tryFirstPass"]:
		return nil, errors.New("useFirstPass and tryFirstPass: no module has asked for a password before; use a keytab")
	case on["useKeyTab"] && on["useTicketCache"]:
		return nil, errors.New("want useKeyTab or useTicketCache, and not both")
	case on["useKeyTab"]:
		return s.byKeytab(options["principal"], options["keyTab"])
	case on["useTicketCache"]:
		return s.byCache(options["principal"], options["ticketCache"])
	}
	return nil, errors.New("want useKeyTab=true with keyTab and principal, or useTicketCache=true: nobody can be asked for a password")
}

func (s Settings) byKeytab(principal, file string) (sasl.Mechanism, error) {
	switch {
	case file == "":
		return nil, errors.New("useKeyTab=true: keyTab is missing")
	case principal == "" || principal == "*":
		return nil, errors.New("useKeyTab=true: principal is missing")
	}
	return Keytab(principal, plainPath(file), s), nil
}

func (s Settings) byCache(principal, file string) (sasl.Mechanism, error) {
	if file == "" {
		file = os.Getenv("KRB5CCNAME")
	}
	if file == "" {
		file = fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid())
	}
	if kind, _, found := strings.Cut(file, ":"); found && len(kind) > 1 && kind != "FILE" {
		return nil, errors.New("the ticket cache is no file: set ticketCache, or KRB5CCNAME, to one that kinit -c wrote")
	}
	return ccache(plainPath(file), principal, s), nil
}

// plainPath drops the type that Kerberos writes before a file's name.
func plainPath(file string) string { return strings.TrimPrefix(file, "FILE:") }
