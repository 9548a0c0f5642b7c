package sasl

import (
	"errors"
	"fmt"
	"strings"
)

// OAuthBearerModule is Java's login module of OAUTHBEARER.
const OAuthBearerModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"

// OAuthBearerOptions are the options of OAuthBearerModule for the client
// credentials of OAuth 2.
type OAuthBearerOptions struct {
	ClientID string
	// ClientSecret is a function, which no formatting verb prints; nil: none.
	ClientSecret func() string
	Scope        string
	Extensions   map[string]string // those that begin with extension_ (KIP-342)
}

// OAuthBearerJAAS reads a property sasl.jaas.config such as
//
//	org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required
//	    clientId="app" clientSecret="secret" scope="kafka" extension_logicalCluster="lkc-1";
//
// The options for unsecured tokens (unsecuredLogin…) and for a TLS of its own
// (ssl.…) are refused. Errors contain no value of the text.
func OAuthBearerJAAS(config string) (OAuthBearerOptions, error) {
	module, options, err := ParseJAAS(config)
	if err != nil {
		return OAuthBearerOptions{}, err
	}
	if module != OAuthBearerModule {
		return OAuthBearerOptions{}, fmt.Errorf("OAUTHBEARER needs the login module %s, and the text names another one", OAuthBearerModule)
	}
	var o OAuthBearerOptions
	for name, value := range options {
		extension, isExtension := strings.CutPrefix(name, "extension_")
		switch {
		case name == "clientId":
			o.ClientID = value
		case name == "clientSecret":
			o.ClientSecret = hide(value)
		case name == "scope":
			o.Scope = value
		case isExtension:
			if o.Extensions == nil {
				o.Extensions = map[string]string{}
			}
			o.Extensions[extension] = value
		default:
			return OAuthBearerOptions{}, errors.New("the login module has an option besides clientId, clientSecret, scope and extension_…")
		}
	}
	return o, nil
}
