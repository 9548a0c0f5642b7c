package kring

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kring-go/kring/sasl"
	"github.com/kring-go/kring/sasl/oidc"
)

// oauthSettings are the properties with which a Java client fetches tokens by
// the client credentials of OAuth 2. What may hold a secret lies in a closure.
type oauthSettings struct {
	endpoint, secret  func() string // nil: not given
	clientID, scope   string
	urlencode         bool
	connect, read     time.Duration // 0: not given
	backoff, backoffs time.Duration // first and longest; 0: Java's defaults, which are oidc's
}

// oauthProperties set them. Values are never quoted, as those of
// securityProperties.
func oauthProperties() []property {
	text := func(name string, at func(*oauthSettings) *string) property {
		return property{name, func(c *config, _ property, value string) { *at(&c.security.oauth) = value }}
	}
	hidden := func(name string, at func(*oauthSettings) *func() string) property {
		return property{name, func(c *config, _ property, value string) {
			*at(&c.security.oauth) = nil
			if value != "" {
				*at(&c.security.oauth) = func() string { return value }
			}
		}}
	}
	return []property{
		hidden("sasl.oauthbearer.token.endpoint.url", func(o *oauthSettings) *func() string { return &o.endpoint }),
		text("sasl.oauthbearer.client.credentials.client.id", func(o *oauthSettings) *string { return &o.clientID }),
		hidden("sasl.oauthbearer.client.credentials.client.secret", func(o *oauthSettings) *func() string { return &o.secret }),
		text("sasl.oauthbearer.scope", func(o *oauthSettings) *string { return &o.scope }),
		permission("sasl.oauthbearer.header.urlencode", func(s *security) *bool { return &s.oauth.urlencode }),
		oauthTime("sasl.login.connect.timeout.ms", 0, func(o *oauthSettings) *time.Duration { return &o.connect }),
		oauthTime("sasl.login.read.timeout.ms", 0, func(o *oauthSettings) *time.Duration { return &o.read }),
		oauthTime("sasl.login.retry.backoff.ms", 100*time.Millisecond, func(o *oauthSettings) *time.Duration { return &o.backoff }),
		oauthTime("sasl.login.retry.backoff.max.ms", 10*time.Second, func(o *oauthSettings) *time.Duration { return &o.backoffs }),
	}
}

// oauthTime is a number of milliseconds; the default is kept as "not given", so
// that it asks for nothing where there is no OAUTHBEARER.
func oauthTime(name string, usual time.Duration, at func(*oauthSettings) *time.Duration) property {
	return property{name, func(c *config, p property, value string) {
		*at(&c.security.oauth) = 0
		if value == "" { // Java's null
			return
		}
		const longest = int64(24 * time.Hour / time.Millisecond)
		ms, err := strconv.ParseInt(value, 10, 64)
		if err != nil || ms < 1 || ms > longest {
			c.problem("%s: want a whole number of milliseconds, 1 to %d", p.name, longest)
			return
		}
		if d := time.Duration(ms) * time.Millisecond; d != usual {
			*at(&c.security.oauth) = d
		}
	}}
}

// given names a property that asks for tokens; empty: none does.
func (o *oauthSettings) given() string {
	for _, p := range []struct {
		name  string
		given bool
	}{
		{"sasl.oauthbearer.token.endpoint.url", o.endpoint != nil},
		{"sasl.oauthbearer.client.credentials.client.id", o.clientID != ""},
		{"sasl.oauthbearer.client.credentials.client.secret", o.secret != nil},
		{"sasl.oauthbearer.scope", o.scope != ""},
		{"sasl.oauthbearer.header.urlencode", o.urlencode},
		{"sasl.login.connect.timeout.ms", o.connect != 0},
		{"sasl.login.read.timeout.ms", o.read != 0},
		{"sasl.login.retry.backoff.ms", o.backoff != 0},
		{"sasl.login.retry.backoff.max.ms", o.backoffs != 0},
	} {
		if p.given {
			return p.name
		}
	}
	return ""
}

const oauthBearer = "OAUTHBEARER"

// asksJava says that properties describe the login, whether they can or not.
func (s *security) asksJava() bool { return s.jaas != nil || s.oauth.given() != "" }

// fromJava makes the mechanism that the properties describe. Errors name the
// property and repeat no value.
func (s *security) fromJava() (sasl.Mechanism, error) {
	switch name := s.oauth.given(); {
	case s.javaMechanism == oauthBearer:
		return s.fromOAuth()
	case name != "":
		return nil, fmt.Errorf("%s has no effect without sasl.mechanism=OAUTHBEARER", name)
	case s.javaMechanism == "":
		return nil, errors.New("sasl.jaas.config: sasl.mechanism is missing, and Java's default for it, GSSAPI, needs " +
			"FromProperties of the module plugin/kringgssapi in place of kring's; set PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
	}
	made, err := sasl.FromJAAS(s.javaMechanism, s.jaas())
	if err != nil {
		return nil, fmt.Errorf("sasl.jaas.config: %w", err)
	}
	return made, nil
}

// fromOAuth joins the properties and the JAAS text; of what both say the
// properties win, as in Java.
func (s *security) fromOAuth() (sasl.Mechanism, error) {
	o := s.oauth
	var jaas sasl.OAuthBearerOptions
	if s.jaas != nil {
		var err error
		if jaas, err = sasl.OAuthBearerJAAS(s.jaas()); err != nil {
			return nil, fmt.Errorf("sasl.jaas.config: %w", err)
		}
	}
	if o.endpoint == nil {
		return nil, errors.New("sasl.oauthbearer.token.endpoint.url is missing, where sasl.mechanism=OAUTHBEARER fetches its tokens; " +
			"give it, or the option SASL(sasl.OAuthBearer(...)) alone")
	}
	settings := oidc.ClientCredentials{
		TokenURL: o.endpoint(), ClientID: o.clientID, Scope: o.scope,
		Extensions: jaas.Extensions, Authentication: oidc.BasicRaw, Backoff: o.backoff, BackoffMax: o.backoffs,
	}
	if o.urlencode {
		settings.Authentication = oidc.Basic
	}
	if settings.ClientID == "" {
		settings.ClientID = jaas.ClientID
	}
	if settings.Scope == "" {
		settings.Scope = jaas.Scope
	}
	secret := o.secret
	if secret == nil {
		secret = jaas.ClientSecret
	}
	if secret != nil {
		settings.ClientSecret = func(context.Context) (string, error) { return secret(), nil }
	}
	if o.connect != 0 || o.read != 0 {
		const usual = 10 * time.Second // of the one that is not given
		settings.Timeout = orTime(o.connect, usual) + orTime(o.read, usual)
	}
	source, err := settings.Source()
	if err != nil {
		return nil, fmt.Errorf("sasl.mechanism=OAUTHBEARER: %w", err)
	}
	return sasl.OAuthBearer(source), nil
}

func orTime(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// oauthPackage is where Java's classes for OAUTHBEARER are.
const oauthPackage = "org.apache.kafka.common.security.oauthbearer."
