package kringgssapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/credentials"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"github.com/kring-go/kring/sasl"
)

// Settings are those of Kerberos. The zero value has the usual ones.
type Settings struct {
	// ServiceName is the first part of the brokers' principals; empty: "kafka".
	// Java: sasl.kerberos.service.name, which has no default there.
	ServiceName string
	// Krb5Conf is the file that names realms and KDCs; empty: /etc/krb5.conf.
	// Java: java.security.krb5.conf.
	Krb5Conf string
	// DisableFAST leaves out what some KDCs, such as older ones of Active
	// Directory, do not understand (RFC 6806, 11).
	DisableFAST bool
}

func (s Settings) withDefaults() Settings {
	if s.ServiceName == "" {
		s.ServiceName = "kafka"
	}
	if s.Krb5Conf == "" {
		s.Krb5Conf = "/etc/krb5.conf"
	}
	return s
}

// Keytab logs in as a principal (user@REALM or user/host@REALM; without a realm
// that of krb5.conf counts) whose keys are in a keytab file. The file is read
// for each login. Java: useKeyTab, keyTab and principal of Krb5LoginModule.
func Keytab(principal, file string, s Settings) sasl.Mechanism {
	return newMechanism(s, func(s Settings) (*client.Client, error) {
		conf, user, realm, err := s.prepare(principal)
		if err != nil {
			return nil, err
		}
		keys, err := keytab.Load(file)
		if err != nil {
			return nil, fmt.Errorf("keytab: %w", err)
		}
		return client.NewWithKeytab(user, realm, keys, conf, client.DisablePAFXFAST(s.DisableFAST)), nil
	})
}

// Password logs in as a principal with its password.
func Password(principal, password string, s Settings) sasl.Mechanism {
	return newMechanism(s, func(s Settings) (*client.Client, error) {
		conf, user, realm, err := s.prepare(principal)
		switch {
		case err != nil:
			return nil, err
		case password == "":
			return nil, errors.New("the password is empty")
		}
		return client.NewWithPassword(user, realm, password, conf, client.DisablePAFXFAST(s.DisableFAST)), nil
	})
}

// CCache logs in with the ticket of a credential cache file, such as kinit
// writes; somebody else has to renew it. The file is read for each login.
// Java: useTicketCache and ticketCache.
func CCache(file string, s Settings) sasl.Mechanism { return ccache(file, "", s) }

// ccache is CCache, for the cache of a principal; empty: of anybody.
func ccache(file, principal string, s Settings) sasl.Mechanism {
	return newMechanism(s, func(s Settings) (*client.Client, error) {
		conf, err := s.load()
		if err != nil {
			return nil, err
		}
		cache, err := credentials.LoadCCache(file)
		if err != nil {
			return nil, fmt.Errorf("ticket cache: %w", err)
		}
		if whose := cache.GetClientPrincipalName().PrincipalNameString(); principal != "" &&
			principal != whose && principal != whose+"@"+cache.GetClientRealm() {
			return nil, fmt.Errorf("ticket cache: it is another principal's than the one that is asked for, %s", principal)
		}
		made, err := client.NewFromCCache(cache, conf, client.DisablePAFXFAST(s.DisableFAST))
		if err != nil {
			return nil, fmt.Errorf("ticket cache: %w", err)
		}
		return made, nil
	})
}

// FromClient logs in with a client of gokrb5, which keeps its tickets. It stays
// the caller's, who destroys it after the producer. Of the Settings only
// ServiceName counts.
func FromClient(c *client.Client, s Settings) sasl.Mechanism {
	m := newMechanism(s, func(Settings) (*client.Client, error) { return c, nil })
	m.keep, m.missing = true, c == nil
	return m
}

func newMechanism(s Settings, open func(Settings) (*client.Client, error)) *mechanism {
	return &mechanism{settings: s.withDefaults(), open: open}
}

// mechanism holds no secret but in open, which no formatting verb prints.
type mechanism struct {
	settings Settings
	open     func(Settings) (*client.Client, error)
	keep     bool // the client is the caller's
	missing  bool // FromClient(nil)
}

func (*mechanism) Name() string        { return "GSSAPI" }
func (*mechanism) RevealsSecret() bool { return false }
func (*mechanism) String() string      { return "GSSAPI" }

// Check reports files that can not be used; kring.New calls it.
func (m *mechanism) Check() error {
	if m.missing {
		return errors.New("the Kerberos client is nil")
	}
	if m.keep {
		return nil
	}
	_, err := m.safely(func() (*client.Client, error) { return m.open(m.settings) })
	return err
}

// safely turns a panic into an error: gokrb5 trusts lengths in the files that it
// reads, and some of those in messages.
func (*mechanism) safely(f func() (*client.Client, error)) (c *client.Client, err error) {
	defer func() {
		if recover() != nil {
			c, err = nil, errors.New("a Kerberos file is damaged: keytab or ticket cache")
		}
	}()
	return f()
}

// Start gets a ticket for the broker.
func (m *mechanism) Start(ctx context.Context, host string) (sasl.Conversation, error) {
	if m.missing {
		return nil, errors.New("the Kerberos client is nil")
	}
	service := m.settings.ServiceName + "/" + strings.ToLower(strings.TrimSuffix(host, "."))
	ticket, err := m.ticket(ctx, service)
	switch {
	case errors.Is(err, sasl.ErrRefused):
		return sasl.Refused(fmt.Errorf("ticket for %s: %w", service, err)), nil
	case err != nil:
		return nil, fmt.Errorf("ticket for %s: %w", service, err)
	}
	return newConversation(ticket)
}

// prepare reads krb5.conf and splits a principal.
func (s Settings) prepare(principal string) (conf *config.Config, user, realm string, err error) {
	if conf, err = s.load(); err != nil {
		return nil, "", "", err
	}
	user, realm, _ = strings.Cut(principal, "@")
	if realm == "" {
		realm = conf.LibDefaults.DefaultRealm
	}
	switch {
	case user == "":
		err = errors.New("the principal is empty")
	case realm == "":
		err = fmt.Errorf("the principal %s has no realm, and neither has %s a default_realm", principal, s.Krb5Conf)
	}
	return conf, user, realm, err
}

// load reads krb5.conf; directives that gokrb5 does not know do no harm.
func (s Settings) load() (*config.Config, error) {
	conf, err := config.Load(s.Krb5Conf)
	if err != nil && !(conf != nil && errors.As(err, new(config.UnsupportedDirective))) {
		return nil, fmt.Errorf("krb5.conf: %w", err)
	}
	return conf, nil
}
