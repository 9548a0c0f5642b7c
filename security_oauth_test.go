package kring_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/sasl"
)

const oauthModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "

// oauthPairs are properties of a Java client that fetches tokens, with changes.
func oauthPairs(url string, changes map[string]string) map[string]string {
	all := map[string]string{
		"security.protocol": "SASL_PLAINTEXT", "kring.insecure.plaintext.login": "true", "sasl.mechanism": "OAUTHBEARER",
		"sasl.login.callback.handler.class":   "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
		"sasl.oauthbearer.token.endpoint.url": url,
		"sasl.jaas.config":                    oauthModule + `clientId="app" clientSecret="` + canary + `" scope="kafka" extension_tier="gold";`,
	}
	maps.Copy(all, changes)
	return all
}

// taped writes down what its connections read.
type taped struct {
	net.Listener
	tape io.Writer
}

func (l taped) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	return tapedConn{nc, l.tape}, err
}

type tapedConn struct {
	net.Conn
	tape io.Writer
}

func (c tapedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	_, _ = c.tape.Write(p[:n]) // a logBuffer takes everything
	return n, err
}

// TestTokensOfProperties: a Java client's properties fetch a token, and log in
// with it.
func TestTokensOfProperties(t *testing.T) {
	for _, tc := range []struct {
		name              string
		changes           map[string]string
		id, secret, scope string // as they come in the header and the form
		extensions        string
	}{
		{"JAAS", nil, "app", canary, "kafka", "\x01tier=gold"},
		{"Kafka 4.1's properties", map[string]string{
			"sasl.jaas.config": "", "sasl.oauthbearer.client.credentials.client.id": "a b",
			"sasl.oauthbearer.client.credentials.client.secret": canary + "+", "sasl.oauthbearer.scope": "s",
		}, "a b", canary + "+", "s", ""},
		{"both", map[string]string{
			"sasl.oauthbearer.client.credentials.client.id": "mine", "sasl.oauthbearer.scope": "s", "sasl.login.read.timeout.ms": "5000",
		}, "mine", canary, "s", "\x01tier=gold"},
		{"encoded", map[string]string{
			"sasl.oauthbearer.client.credentials.client.id": "a b", "sasl.oauthbearer.header.urlencode": "true",
		}, "a+b", canary, "kafka", "\x01tier=gold"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var sent atomic.Value
			idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
				sent.Store(fmt.Sprint(string(text), " ", r.PostFormValue("scope"), " ", err))
				_, _ = io.WriteString(w, `{"access_token":"abc","expires_in":3600}`)
			}))
			defer idp.Close()
			var came logBuffer
			b := newWireBroker(t, func(b *wireBroker) {
				b.ln = taped{b.ln, &came}
				wantLogin(b, func(*wireConn, *kmsg.SASLAuthenticateResponse) {})
			})
			option, err := kring.FromProperties(oauthPairs(idp.URL, tc.changes))
			if err != nil {
				t.Fatal(err)
			}
			p := caseProducer(t, []string{b.addr()}, option)
			if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("v")}); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprint(tc.id, ":", tc.secret, " ", tc.scope, " <nil>"); sent.Load() != want {
				t.Errorf("the endpoint got %q, want %q", sent.Load(), want)
			}
			if want := "n,,\x01auth=Bearer abc" + tc.extensions + "\x01\x01"; !strings.Contains(came.String(), want) {
				t.Errorf("the broker got %q, want %q", came.String(), want)
			}
		})
	}
}

// TestTokenIsRefusedEarly: a wrong client secret is ErrAuthentication, few
// requests, and in no output (G10, G11, G15).
func TestTokenIsRefusedEarly(t *testing.T) {
	var requests atomic.Int32
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"not `+canary+`"}`)
	}))
	defer idp.Close()
	b := newWireBroker(t, func(b *wireBroker) {
		wantLogin(b, func(*wireConn, *kmsg.SASLAuthenticateResponse) { t.Error("a login without a token") })
	})
	option, err := kring.FromProperties(oauthPairs(idp.URL+"/?key="+canary, nil))
	if err != nil {
		t.Fatal(err)
	}
	var log logBuffer
	p := caseProducer(t, []string{b.addr()}, option,
		kring.Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	begin := time.Now()
	err = p.Produce(patient(t), kring.Record{Topic: "t"}, nil)
	if !errors.Is(err, kring.ErrAuthentication) || !strings.Contains(err.Error(), "answers 401") {
		t.Errorf("error %v, want ErrAuthentication with the endpoint's answer", err)
	}
	if n, most := requests.Load(), int32(2+time.Since(begin)/(800*time.Millisecond)); n > most {
		t.Errorf("%d requests in %v", n, time.Since(begin))
	}
	closeEmpty(t, p) // fmt reads what the producer's goroutines write
	text := fmt.Sprintf("%v %+v %#v %+v %#v %s", err, err, err, p, option, log.String())
	if at := strings.Index(text, canary); at >= 0 {
		t.Errorf("the secret is shown: …%s…", text[max(0, at-200):at])
	}
}

// TestTokenProperties is what is refused, in one line that repeats nothing.
func TestTokenProperties(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes map[string]string
		want    string // "": accepted
	}{
		{"all", nil, ""},
		{"no scope", map[string]string{"sasl.jaas.config": oauthModule + `clientId=app clientSecret=x;`}, ""},
		{"times", map[string]string{"sasl.login.connect.timeout.ms": "1", "sasl.login.retry.backoff.ms": "50", "sasl.login.retry.backoff.max.ms": "100"}, ""},
		{"Java's older name of the handler", map[string]string{"sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler"}, ""},

		{"a file", map[string]string{"sasl.oauthbearer.token.endpoint.url": "file:///etc/" + canary}, "malformed"},
		{"a file of a host", map[string]string{"sasl.oauthbearer.token.endpoint.url": "file://h/" + canary}, "neither https nor http"},
		{"in the clear", map[string]string{"sasl.oauthbearer.token.endpoint.url": "http://idp.example/" + canary}, "is http"},
		{"no endpoint", map[string]string{"sasl.oauthbearer.token.endpoint.url": ""}, "sasl.oauthbearer.token.endpoint.url is missing"},
		{"no client", map[string]string{"sasl.jaas.config": ""}, "client id is missing"},
		{"no secret", map[string]string{"sasl.jaas.config": oauthModule + `clientId="` + canary + `";`}, "client secret is missing"},
		{"a colon", map[string]string{"sasl.jaas.config": oauthModule + `clientId="a:b" clientSecret="` + canary + `";`}, "sasl.oauthbearer.header.urlencode=true"},
		{"an unsecured token", map[string]string{"sasl.jaas.config": oauthModule + `unsecuredLoginStringClaim_sub="` + canary + `";`}, "besides clientId"},
		{"another module", map[string]string{"sasl.jaas.config": `x required clientId="` + canary + `";`}, "OAuthBearerLoginModule"},
		{"another handler", map[string]string{"sasl.login.callback.handler.class": canary}, "sasl.login.callback.handler.class: not supported"},
		{"no mechanism", map[string]string{"sasl.mechanism": "GSSAPI"}, "no effect without sasl.mechanism=OAUTHBEARER"},
		{"another mechanism", map[string]string{"sasl.mechanism": "PLAIN"}, "no effect without sasl.mechanism=OAUTHBEARER"},
		{"a time of letters", map[string]string{"sasl.login.read.timeout.ms": canary}, "whole number of milliseconds"},
		{"no time", map[string]string{"sasl.login.read.timeout.ms": "0"}, "whole number of milliseconds"},
		{"neither true nor false", map[string]string{"sasl.oauthbearer.header.urlencode": canary}, "true or false"},
		{"an assertion", map[string]string{"sasl.oauthbearer.assertion.file": canary}, "client credentials"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			option, err := kring.FromProperties(oauthPairs("https://idp.example/token", tc.changes))
			if (err == nil) != (tc.want == "") || err != nil &&
				(!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), canary) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
			if err == nil {
				// An option after the properties stands alone.
				p, err := kring.New(option, kring.Brokers("127.0.0.1:1"), kring.SASL(sasl.ScramSHA256("u", "p")))
				if err != nil {
					t.Fatal(err)
				}
				closeEmpty(t, p)
			}
		})
	}
}
