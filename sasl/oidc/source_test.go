package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kring-go/kring/sasl"
)

const canary = "hunter2-canary/+=:%"

// provider is a token endpoint that keeps what came.
type provider struct {
	*httptest.Server
	mu    sync.Mutex
	forms []url.Values
	auths []string
}

// newProvider answers the n-th request, from 1, as answer does.
func newProvider(t *testing.T, answer func(n int, w http.ResponseWriter)) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
			t.Errorf("%s, %v", r.Method, err)
		}
		p.mu.Lock()
		p.forms = append(p.forms, r.PostForm)
		p.auths = append(p.auths, r.Header.Get("Authorization"))
		n := len(p.forms)
		p.mu.Unlock()
		answer(n, w)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.forms)
}

func (p *provider) settings() ClientCredentials {
	return ClientCredentials{
		TokenURL: p.URL + "/token?tenant=" + url.QueryEscape(canary), ClientID: "app", ClientSecret: Secret(canary),
		Timeout: 20 * time.Second, Backoff: time.Millisecond, BackoffMax: 5 * time.Millisecond,
	}
}

func say(text string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) { _, _ = io.WriteString(w, text) }
}

func refuse(code int, text string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

func fetch(t *testing.T, c ClientCredentials) (sasl.Token, error) {
	t.Helper()
	source, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return source(ctx)
}

func TestRequest(t *testing.T) {
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
	}
	for _, tc := range []struct {
		name       string
		change     func(*ClientCredentials)
		form, auth string
	}{
		{"basic", func(*ClientCredentials) {}, "grant_type=client_credentials", basic("app", url.QueryEscape(canary))},
		{"basic, a name that needs it", func(c *ClientCredentials) { c.ClientID = "a:b c" }, "grant_type=client_credentials", basic("a%3Ab+c", url.QueryEscape(canary))},
		{"basic as Java", func(c *ClientCredentials) { c.Authentication = BasicRaw }, "grant_type=client_credentials", basic("app", canary)},
		{"post", func(c *ClientCredentials) { c.Authentication = Post }, "client_id=app&client_secret=" + url.QueryEscape(canary) + "&grant_type=client_credentials", ""},
		{"scope and more", func(c *ClientCredentials) {
			c.Scope, c.Parameters = "kafka read", url.Values{"audience": {"https://k"}}
		}, "audience=https%3A%2F%2Fk&grant_type=client_credentials&scope=kafka+read", basic("app", url.QueryEscape(canary))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProvider(t, say(`{"access_token":"abc.def","token_type":"bearer","expires_in":300}`))
			c := p.settings()
			tc.change(&c)
			if token, err := fetch(t, c); err != nil || token.Value != "abc.def" {
				t.Fatalf("%v", err)
			}
			if got := p.forms[0].Encode(); got != tc.form || p.auths[0] != tc.auth {
				t.Errorf("form %q and header %q, want %q and %q", got, p.auths[0], tc.form, tc.auth)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	jwt := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".sig"
	}
	in := func(d time.Duration) time.Time { return time.Now().Add(d) }
	for _, tc := range []struct {
		name, answer string
		want         time.Time // of Expires, to some seconds
		err          string
	}{
		{"a number", `{"access_token":"t","expires_in":300,"scope":"x"}`, in(300 * time.Second), ""},
		{"a number as text", `{"access_token":"t","expires_in":"300"}`, in(300 * time.Second), ""},
		{"a fraction", `{"access_token":"t","expires_in":300.5}`, in(300 * time.Second), ""},
		{"far away", `{"access_token":"t","expires_in":1e300}`, in(longestLife), ""},
		{"no time", `{"access_token":"t"}`, time.Time{}, ""},
		{"time is over", `{"access_token":"t","expires_in":-1}`, time.Time{}, ""},
		{"a JWT", fmt.Sprintf(`{"access_token":%q}`, jwt(fmt.Sprintf(`{"exp":%d}`, in(time.Hour).Unix()))), in(time.Hour), ""},
		{"a JWT for ever", fmt.Sprintf(`{"access_token":%q}`, jwt(`{"exp":1e300}`)), in(longestLife), ""},
		{"a JWT without", fmt.Sprintf(`{"access_token":%q}`, jwt(`{}`)), time.Time{}, ""},
		{"three parts that are none", `{"access_token":"a.!.c"}`, time.Time{}, ""},
		{"no token", `{"expires_in":300}`, time.Time{}, "no access_token"},
		{"another type", `{"access_token":"` + canary + `","token_type":"mac"}`, time.Time{}, "another type"},
		{"a page", `<html>` + canary, time.Time{}, "is this the URL"},
		{"a text for an object", `"` + canary + `"`, time.Time{}, "is this the URL"},
		{"endless", `{"access_token":"` + strings.Repeat("x", mostBytes) + `"}`, time.Time{}, "longer than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProvider(t, say(tc.answer))
			token, err := fetch(t, p.settings())
			checkError(t, err, tc.err)
			if got := token.Expires; got.IsZero() != tc.want.IsZero() || got.Sub(tc.want).Abs() > time.Minute {
				t.Errorf("expires %v, want %v", got, tc.want)
			}
			if p.requests() != 1 {
				t.Errorf("%d requests, want 1", p.requests())
			}
		})
	}
}

// checkError holds an error to its words, and to silence about secrets,
// whatever is wrapped in it.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
	var out strings.Builder
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Fprintf(&out, "%v %+v %#v %q\n", e, e, e, e)
	}
	for _, form := range []string{canary, url.QueryEscape(canary), base64.StdEncoding.EncodeToString([]byte(canary))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret is shown: %s", out.String())
		}
	}
}

func TestFailures(t *testing.T) {
	for _, tc := range []struct {
		name     string
		answer   func(int, http.ResponseWriter)
		want     string
		refused  bool
		requests int // 0: any number above 1
	}{
		{"a wrong secret", refuse(401, `{"error":"invalid_client","error_description":"no such client"}`), "answers 401 (invalid_client: no such client)", true, 1},
		{"a wrong scope", refuse(400, `{"error":"invalid_scope"}`), "(invalid_scope)", true, 1},
		{"forbidden, without a reason", refuse(403, canary), "answers 403: check", true, 1},
		{"a reason with the secret", refuse(401, `{"error":"invalid_client","error_description":"no `+canary+`"}`), "not shown", true, 1},
		{"a reason that acts on terminals", refuse(401, `{"error":"a\u001b[2J","error_description":"`+strings.Repeat("x\\n", 300)+`"}`), "a?[2J: x?x?", true, 1},
		{"a wrong path", refuse(404, canary), "answers 404: check its URL", false, 1},
		{"a redirect", func(_ int, w http.ResponseWriter) {
			w.Header().Set("Location", "http://127.0.0.1:1/"+url.PathEscape(canary))
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "answers 307: redirects are not followed", false, 1},
		{"no token, and no error", refuse(204, ""), "answers 204", false, 1},
		{"down", refuse(503, canary), "answers 503", false, 0},
		{"too many", refuse(429, `{"error":"slow_down"}`), "answers 429 (slow_down)", false, 0},
		{"hangs up", func(_ int, w http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF", false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProvider(t, tc.answer)
			source, err := p.settings().Source()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			if tc.requests > 0 {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			}
			defer cancel()
			_, err = source(ctx)
			if tc.requests == 0 && errors.Is(err, context.DeadlineExceeded) {
				err = errors.New(tc.want) // the end fell into an attempt, and not into a pause
			}
			checkError(t, err, tc.want)
			if got := errors.Is(err, sasl.ErrRefused); got != tc.refused {
				t.Errorf("refused: %t, want %t", got, tc.refused)
			}
			if got := p.requests(); got != tc.requests && (tc.requests != 0 || got < 2) {
				t.Errorf("%d requests, want %d", got, tc.requests)
			}
		})
	}
}

// TestTriesAgain: what passes is waited for, as long as the endpoint asks.
func TestTriesAgain(t *testing.T) {
	p := newProvider(t, func(n int, w http.ResponseWriter) {
		switch n {
		case 1:
			refuse(500, "")(n, w)
		case 2:
			w.Header().Set("Retry-After", "3600") // BackoffMax bounds it
			refuse(503, "")(n, w)
		default:
			say(`{"access_token":"t"}`)(n, w)
		}
	})
	if token, err := fetch(t, p.settings()); err != nil || token.Value != "t" || p.requests() != 3 {
		t.Errorf("%q, %v after %d requests, want a token after 3", token.Value, err, p.requests())
	}
}

// TestSilence: an endpoint that does not answer is given up, attempt by attempt
// by Timeout, and as a whole by the context.
func TestSilence(t *testing.T) {
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := newProvider(t, func(n int, _ http.ResponseWriter) {
		if n > 1 { // asked again
			cancel()
		}
		<-release
	})
	defer close(release)
	c := p.settings()
	c.Timeout = 20 * time.Millisecond
	source, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = source(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after %d requests", err, p.requests())
	}
	c.Timeout = time.Hour
	if source, err = c.Source(); err != nil {
		t.Fatal(err)
	}
	reason := errors.New("enough")
	hour, stop := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { stop(reason) })
	if _, err := source(hour); !errors.Is(err, reason) {
		t.Errorf("error %v, want %v", err, reason)
	}
}

// TestOneFetchForAll: a hundred connections at once cost one request, and so do
// the next ones; a refusal by a broker costs one more.
func TestOneFetchForAll(t *testing.T) {
	var n atomic.Int32
	p := newProvider(t, func(_ int, w http.ResponseWriter) {
		_, _ = fmt.Fprintf(w, `{"access_token":"token%d","expires_in":3600}`, n.Add(1))
	})
	source, err := p.settings().Source()
	if err != nil {
		t.Fatal(err)
	}
	m := sasl.OAuthBearer(source)
	first := func() (sasl.Conversation, string) {
		talk, err := m.Start(t.Context(), "host")
		if err != nil {
			t.Error(err)
			return nil, ""
		}
		reply, err := talk.Step(nil)
		if err != nil {
			t.Error(err)
		}
		return talk, string(reply)
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if _, reply := first(); !strings.Contains(reply, "token1") {
				t.Errorf("sends %q", reply)
			}
		})
	}
	wg.Wait()
	talk, _ := first()
	if _, err := talk.Step([]byte(`{"status":"invalid_token"}`)); err != nil {
		t.Error(err)
	}
	if _, reply := first(); !strings.Contains(reply, "token2") || p.requests() != 2 {
		t.Errorf("sends %q after %d requests, want the second token", reply, p.requests())
	}
}

// TestRefusalIsALoginsEnd: a wrong secret is not a temporary error of Start.
func TestRefusalIsALoginsEnd(t *testing.T) {
	p := newProvider(t, refuse(401, `{"error":"invalid_client"}`))
	source, err := p.settings().Source()
	if err != nil {
		t.Fatal(err)
	}
	talk, err := sasl.OAuthBearer(source).Start(t.Context(), "host")
	if err != nil {
		t.Fatal(err)
	}
	reply, err := talk.Step(nil)
	if reply != nil || !errors.Is(err, sasl.ErrRefused) {
		t.Errorf("%q, %v, want ErrRefused", reply, err)
	}
}

func TestSecretFunction(t *testing.T) {
	p := newProvider(t, say(`{"access_token":"t"}`))
	c := p.settings()
	down := errors.New("vault is down")
	answers := []string{"first", "second", ""}
	c.ClientSecret = func(context.Context) (string, error) {
		if len(answers) == 0 {
			return "", down
		}
		next := answers[0]
		answers = answers[1:]
		return next, nil
	}
	source, err := c.Source()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := source(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if p.auths[0] == p.auths[1] {
		t.Error("the second token was fetched with the first secret")
	}
	if _, err := source(t.Context()); err == nil || !strings.Contains(err.Error(), "secret is empty") {
		t.Errorf("error %v", err)
	}
	if _, err := source(t.Context()); !errors.Is(err, down) {
		t.Errorf("error %v, want %v", err, down)
	}
}
