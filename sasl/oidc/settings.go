package oidc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kring-go/kring/sasl"
)

// Authentication is how the client proves to the token endpoint who it is.
type Authentication int

const (
	// Basic is client_secret_basic: id and secret in the Authorization header,
	// form-encoded first, as RFC 6749 (2.3.1) demands.
	Basic Authentication = iota
	// BasicRaw is Basic without the encoding, for endpoints that do not decode.
	// It is what Java does unless sasl.oauthbearer.header.urlencode is true.
	BasicRaw
	// Post is client_secret_post: id and secret in the body.
	Post
)

// Defaults and limits of ClientCredentials.
const (
	defaultTimeout    = 10 * time.Second
	defaultBackoff    = 100 * time.Millisecond
	defaultBackoffMax = 10 * time.Second
)

// ClientCredentials is a client of a token endpoint. Printed, it shows no
// secret, since that lies in a function.
type ClientCredentials struct {
	// TokenURL is the token endpoint, https://…, without user and password.
	// Java: sasl.oauthbearer.token.endpoint.url.
	TokenURL string
	// ClientID is the client's name at the endpoint.
	// Java: sasl.oauthbearer.client.credentials.client.id, or clientId of JAAS.
	ClientID string
	// ClientSecret returns the client's secret. It is called for each token, so
	// it can follow a secret that changes; Secret is one that does not.
	// Java: sasl.oauthbearer.client.credentials.client.secret.
	ClientSecret func(ctx context.Context) (string, error)
	// Scope is what the token shall permit; empty: what the endpoint gives.
	// Several are separated by blanks. Java: sasl.oauthbearer.scope.
	Scope string
	// Parameters go into the request's body besides, such as "audience" or
	// "resource", which some endpoints want.
	Parameters url.Values
	// Extensions become those of the token (KIP-342).
	Extensions map[string]string
	// Authentication is Basic where nothing is said.
	Authentication Authentication

	// HTTPClient sends the requests; nil: one that verifies certificates by the
	// system's authorities, takes a proxy from the environment (HTTPS_PROXY),
	// and keeps no connection. Redirects are not followed with any client.
	HTTPClient *http.Client
	// InsecureHTTP permits a TokenURL with http on a host other than loopback:
	// everybody on the way reads the secret and the token.
	InsecureHTTP bool

	// Timeout is how long one attempt may take; 0: 10 s.
	// Java: sasl.login.connect.timeout.ms and sasl.login.read.timeout.ms.
	Timeout time.Duration
	// Backoff is the pause before the second attempt, which doubles up to
	// BackoffMax with every other one, less up to 20 % by chance; 0: 100 ms, 10 s.
	// Java: sasl.login.retry.backoff.ms and sasl.login.retry.backoff.max.ms.
	Backoff, BackoffMax time.Duration
}

// Secret is a ClientSecret that never changes.
func Secret(text string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return text, nil }
}

// Source returns the source that sasl.OAuthBearer wants, or says what is wrong
// with the settings. It sends nothing.
func (c ClientCredentials) Source() (sasl.TokenSource, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("kring: oidc: %w", err)
	}
	c.Parameters, c.Extensions = cloneValues(c.Parameters), maps.Clone(c.Extensions)
	c.Timeout = orElse(c.Timeout, defaultTimeout)
	c.Backoff = orElse(c.Backoff, defaultBackoff)
	c.BackoffMax = max(orElse(c.BackoffMax, defaultBackoffMax), c.Backoff)
	return (&endpoint{settings: c, client: withoutRedirects(c.HTTPClient)}).token, nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func cloneValues(values url.Values) url.Values {
	own := url.Values{}
	for name, list := range values {
		own[name] = slices.Clone(list)
	}
	return own
}

// check repeats no value: what is wrong may be a secret in the wrong place.
func (c ClientCredentials) check() error {
	if err := checkURL(c.TokenURL, c.InsecureHTTP); err != nil {
		return err
	}
	switch {
	case c.ClientID == "":
		return errors.New("the client id is missing")
	case c.ClientSecret == nil:
		return errors.New("the client secret is missing")
	case c.Authentication == BasicRaw && strings.Contains(c.ClientID, ":"):
		return errors.New("the client id contains a colon, which ends it in a header that is not encoded; use Basic (sasl.oauthbearer.header.urlencode=true)")
	case c.Authentication < Basic || c.Authentication > Post:
		return errors.New("want Authentication to be Basic, BasicRaw or Post")
	case c.Timeout < 0 || c.Backoff < 0 || c.BackoffMax < 0:
		return errors.New("want no negative Timeout, Backoff or BackoffMax")
	}
	for name := range c.Parameters {
		switch name {
		case "grant_type", "scope", "client_id", "client_secret":
			return fmt.Errorf("the parameter %s has a field of its own, or is fixed", name)
		}
	}
	return nil
}

func checkURL(text string, insecure bool) error {
	if text == "" {
		return errors.New("the URL of the token endpoint is missing")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return errors.New("the URL of the token endpoint is malformed: want https://host/path")
	case u.User != nil || u.Fragment != "":
		return errors.New("the URL of the token endpoint has a user, a password or a fragment: want https://host/path")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return errors.New("the URL of the token endpoint is neither https nor http")
	case !insecure && !isLoopback(u.Hostname()):
		return errors.New("the URL of the token endpoint is http, which shows the secret to everybody on the way: want https, or a loopback address")
	}
	return nil
}

// isLoopback asks no resolver, which could answer anything; localhost is what
// RFC 6761 promises.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// withoutRedirects is the client, or one of our own, that hands out a redirect
// instead of following it.
func withoutRedirects(given *http.Client) *http.Client {
	var own http.Client
	if given != nil {
		own = *given
	} else {
		own.Transport = &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{}).DialContext,
			// A token is wanted once in minutes or hours; a connection that is
			// kept would outlive the producer.
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
