package oidc

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestSettings(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*ClientCredentials)
		want   string // "": accepted
	}{
		{"https", func(*ClientCredentials) {}, ""},
		{"localhost", func(c *ClientCredentials) { c.TokenURL = "http://LOCALHOST:1/t" }, ""},
		{"loopback", func(c *ClientCredentials) { c.TokenURL = "http://127.9.9.9/t" }, ""},
		{"loopback, v6", func(c *ClientCredentials) { c.TokenURL = "http://[::1]:8080/t" }, ""},
		{"http on purpose", func(c *ClientCredentials) { c.TokenURL, c.InsecureHTTP = "http://idp/t", true }, ""},

		{"http", func(c *ClientCredentials) { c.TokenURL = "http://idp/" + url.PathEscape(canary) }, "is http"},
		{"a name like loopback", func(c *ClientCredentials) { c.TokenURL = "http://127.0.0.1.example/t" }, "is http"},
		{"a file", func(c *ClientCredentials) { c.TokenURL = "file://host/etc/passwd" }, "neither https nor http"},
		{"a file without host", func(c *ClientCredentials) { c.TokenURL = "file:///etc/passwd" }, "malformed"},
		{"no URL", func(c *ClientCredentials) { c.TokenURL = "" }, "is missing"},
		{"no host", func(c *ClientCredentials) { c.TokenURL = "https:///" + canary }, "malformed"},
		{"no scheme", func(c *ClientCredentials) { c.TokenURL = canary }, "malformed"},
		{"a port of letters", func(c *ClientCredentials) { c.TokenURL = "https://h:" + canary }, "malformed"},
		{"a password in it", func(c *ClientCredentials) { c.TokenURL = "https://u:hunter2@h/" }, "a user, a password"},
		{"no id", func(c *ClientCredentials) { c.ClientID = "" }, "client id is missing"},
		{"no secret", func(c *ClientCredentials) { c.ClientSecret = nil }, "client secret is missing"},
		{"a colon", func(c *ClientCredentials) { c.ClientID, c.Authentication = "a:b", BasicRaw }, "colon"},
		{"another way", func(c *ClientCredentials) { c.Authentication = 7 }, "Authentication"},
		{"times", func(c *ClientCredentials) { c.Timeout = -1 }, "negative"},
		{"twice", func(c *ClientCredentials) { c.Parameters = url.Values{"client_secret": {canary}} }, "client_secret"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := ClientCredentials{TokenURL: "https://idp.example/token", ClientID: "app", ClientSecret: Secret(canary)}
			tc.change(&c)
			source, err := c.Source()
			if (source == nil) == (err == nil) {
				t.Errorf("%t, %v", source == nil, err)
			}
			checkError(t, err, tc.want)
			if err != nil && !strings.HasPrefix(err.Error(), "kring: oidc: ") {
				t.Errorf("error %v", err)
			}
			for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
				if text := fmt.Sprintf(verb, struct{ c any }{c}); tc.name == "https" && strings.Contains(text, "hunter2") {
					t.Errorf("%s: %s", verb, text)
				}
			}
		})
	}
}

// TestOwnClient: certificates are verified, unless the given client knows the
// authority; and that client follows no redirect here either.
func TestOwnClient(t *testing.T) {
	var moved bool
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if moved {
			http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
			return
		}
		say(`{"access_token":"t"}`)(0, w)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer server.Close()
	c := ClientCredentials{TokenURL: server.URL, ClientID: "app", ClientSecret: Secret(canary), HTTPClient: server.Client()}
	if _, err := fetch(t, c); err != nil {
		t.Error(err)
	}
	moved = true
	_, err := fetch(t, c)
	checkError(t, err, "redirects are not followed")
	if server.Client().CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
	c.HTTPClient, c.Backoff = nil, time.Hour // longer than the context: one attempt
	source, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = source(ctx)
	checkError(t, err, "certificate")
}
