package guides

import (
	"net/url"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
	"github.com/kring-go/kring/sasl/oidc"
)

// withFiles is security.md's producer with a certificate of its own.
func withFiles() (*kring.Producer, error) {
	return kring.New(
		kring.Brokers("broker.example:9093"),
		kring.TLSFiles("/etc/kafka/ca.pem", "/etc/kafka/client.pem", "/etc/kafka/client.key"),
	)
}

// withTokens is security.md's producer with tokens of an identity provider.
func withTokens(secret string) (*kring.Producer, error) {
	tokens, err := oidc.ClientCredentials{
		TokenURL:     "https://idp.example/oauth2/token",
		ClientID:     "orders",
		ClientSecret: oidc.Secret(secret), // or a function that asks a vault
		Scope:        "kafka",
		Parameters:   url.Values{"audience": {"https://kafka.example"}}, // where the provider wants it
	}.Source()
	if err != nil {
		return nil, err
	}
	return kring.New(
		kring.Brokers("broker.example:9093"),
		kring.TLS(nil),
		kring.SASL(sasl.OAuthBearer(tokens)),
	)
}
