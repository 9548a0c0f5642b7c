package kringmsk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	service = "kafka-cluster"
	// emptyHash is SHA-256 of nothing: the request that is signed has no body.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// request is what is signed besides the keys.
type request struct {
	host, region, agent string
	at                  time.Time
	expiry              time.Duration
}

// sign makes the client's message: the parameters of a presigned request
// GET https://host/?Action=kafka-cluster:Connect, as JSON with names in lower
// case. Nobody ever sends that request; the broker checks its signature.
func sign(ctx context.Context, keys Credentials, r request) ([]byte, error) {
	query := url.Values{"Action": {service + ":Connect"}, "X-Amz-Expires": {strconv.Itoa(int(r.expiry / time.Second))}}
	toSign := (&http.Request{
		Method: http.MethodGet, Host: r.host, Header: http.Header{},
		URL: &url.URL{Scheme: "https", Host: r.host, Path: "/", RawQuery: query.Encode()},
	}).WithContext(ctx)
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, aws.Credentials{
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken,
	}, toSign, emptyHash, service, r.region, r.at)
	if err != nil {
		return nil, errors.New("the request could not be signed") // what err repeats is not known
	}
	u, err := url.Parse(signed)
	if err != nil {
		return nil, errors.New("the signed request is malformed") // err repeats it
	}
	message := map[string]string{"version": version, "host": r.host, "user-agent": r.agent}
	for name, values := range u.Query() {
		message[strings.ToLower(name)] = values[0]
	}
	return json.Marshal(message)
}

// FromAWS is a Provider that asks one of the AWS SDK for Go v2, such as the
// Credentials of an aws.Config.
func FromAWS(provider aws.CredentialsProvider) Provider {
	if provider == nil {
		return nil
	}
	return func(ctx context.Context) (Credentials, error) {
		c, err := provider.Retrieve(ctx)
		if err != nil {
			return Credentials{}, err
		}
		keys := Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
		if c.CanExpire {
			keys.Expires = c.Expires
		}
		return keys, nil
	}
}
