//go:build kafka

package kafka_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring"

	"github.com/kring-go/kring/tests/ledger"
)

// testTokens fetches unsecured tokens from a token endpoint, configured as a
// Java client would be, and sends for longer than one of them lives.
func (s secure) testTokens(t *testing.T) {
	const life = 4 * time.Second
	var requests atomic.Int32
	var subject atomic.Value
	subject.Store(`"sub":"app",`)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if id, secret, _ := r.BasicAuth(); id != "app" || secret != s.Password || r.PostFormValue("grant_type") != "client_credentials" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		now := time.Now()
		part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
		_, _ = fmt.Fprintf(w, `{"access_token":"%s.%s.","token_type":"Bearer","expires_in":%d}`, part(`{"alg":"none"}`),
			part(fmt.Sprintf(`{%s"iat":%d,"exp":%d}`, subject.Load(), now.Unix(), now.Add(life).Unix())), life/time.Second)
	}))
	defer endpoint.Close()
	option := func(secret string) kring.Option {
		o, err := kring.FromProperties(map[string]string{
			"bootstrap.servers": s.SASLPlain, "security.protocol": "SASL_PLAINTEXT", "kring.insecure.plaintext.login": "true",
			"sasl.mechanism":                      "OAUTHBEARER",
			"sasl.login.callback.handler.class":   "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
			"sasl.oauthbearer.token.endpoint.url": endpoint.URL + "/token",
			"sasl.jaas.config": fmt.Sprintf("org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "+
				"clientId=app clientSecret=%q;", secret),
		})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	const interval = time.Millisecond
	plan := newPlan(t, s.topic(t, 4), 4, int(2*life/interval))
	plan.Sizes = ledger.FixedSize(200)
	s.produce(t, plan, ledger.Pace{Start: time.Now(), Interval: interval}, ledger.Rules{}, option(s.Password))
	if n := requests.Load(); n < 2 || n > 20 {
		t.Errorf("%d tokens were fetched in %v, each for %v", n, 2*life, life)
	}
	refused := func(name, want string, o kring.Option) {
		p, err := kring.New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close(t.Context()) }() // it has nothing to send
		err = p.Produce(t.Context(), kring.Record{Topic: "t"}, nil)
		if !errors.Is(err, kring.ErrAuthentication) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), s.Password) {
			t.Errorf("%s: %v, want ErrAuthentication with %q", name, err, want)
		}
	}
	refused("a wrong secret", "answers 401", option("canary-no"))
	subject.Store("")
	refused("a token without a subject", "OAUTHBEARER authentication failed", option(s.Password))
}
