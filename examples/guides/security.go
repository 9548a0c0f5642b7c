package guides

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/url"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringkeystore"
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

// withJavaFile is security.md's producer of a Java client's files.
func withJavaFile(file io.Reader) (*kring.Producer, error) {
	properties, err := kring.ReadProperties(file) // client.properties, as it is
	if err != nil {
		return nil, err
	}
	options, err := kringkeystore.FromProperties(properties) // in place of kring.FromProperties
	if err != nil {
		return nil, err
	}
	return kring.New(options...)
}

// withStores is security.md's producer with key stores that Go code names.
func withStores(password func() (string, error)) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers("broker.example:9093"),
		kringkeystore.TLS(
			kringkeystore.Store{Path: "/etc/kafka/trust.jks"},
			kringkeystore.Store{Path: "/etc/kafka/client.p12", Password: password}, // or kringkeystore.Secret("…")
		),
	)
}

// withVault is security.md's producer whose certificate is in no file.
func withVault(ask func() (*x509.CertPool, []tls.Certificate, error)) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers("broker.example:9093"),
		kring.TLSStores(ask),
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
