package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kring-go/kring/sasl"
)

// mostBytes bounds an answer, far above any token that a broker would take.
const mostBytes = 1 << 20

// endpoint fetches tokens. It keeps nothing between two calls.
type endpoint struct {
	settings ClientCredentials
	client   *http.Client
}

// token is the sasl.TokenSource.
func (e *endpoint) token(ctx context.Context) (sasl.Token, error) {
	secret, err := e.settings.ClientSecret(ctx)
	switch {
	case err != nil:
		return sasl.Token{}, fmt.Errorf("client secret: %w", err)
	case secret == "":
		return sasl.Token{}, errors.New("the client secret is empty")
	}
	pause := e.settings.Backoff
	for {
		token, err := e.attempt(ctx, secret)
		var again *passing
		if !errors.As(err, &again) || ctx.Err() != nil {
			return token, err
		}
		wait := max(pause-time.Duration(rand.Float64()*0.2*float64(pause)), min(again.after, e.settings.BackoffMax))
		pause = min(2*pause, e.settings.BackoffMax)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < wait {
			return token, err // says more than that time was up
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return token, fmt.Errorf("%w; %w", context.Cause(ctx), err)
		}
	}
}

// passing is an error after which another attempt makes sense.
type passing struct {
	reason error
	after  time.Duration // what the endpoint asks for; 0: nothing
}

func (p *passing) Error() string { return p.reason.Error() }
func (p *passing) Unwrap() error { return p.reason }

// attempt asks once.
func (e *endpoint) attempt(ctx context.Context, secret string) (sasl.Token, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.settings.Timeout,
		fmt.Errorf("no answer within %v", e.settings.Timeout))
	defer cancel()
	request, err := e.request(ctx, secret)
	if err != nil {
		return sasl.Token{}, err
	}
	began := time.Now()
	response, err := e.client.Do(request)
	if err != nil {
		return sasl.Token{}, e.unreachable(ctx, err, secret)
	}
	defer func() { _ = response.Body.Close() }() // it has been read, or is given up
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBytes+1))
	switch {
	case err != nil:
		return sasl.Token{}, e.unreachable(ctx, err, secret)
	case len(body) > mostBytes:
		return sasl.Token{}, fmt.Errorf("token endpoint %s: the answer is longer than %d bytes", e.name(), mostBytes)
	case response.StatusCode != http.StatusOK:
		return sasl.Token{}, e.failure(response, body, secret)
	}
	token, err := parse(body, began)
	if err != nil {
		return sasl.Token{}, fmt.Errorf("token endpoint %s: %w", e.name(), err)
	}
	token.Extensions = e.settings.Extensions
	return token, nil
}

func (e *endpoint) request(ctx context.Context, secret string) (*http.Request, error) {
	form := cloneValues(e.settings.Parameters)
	form.Set("grant_type", "client_credentials")
	if e.settings.Scope != "" {
		form.Set("scope", e.settings.Scope)
	}
	if e.settings.Authentication == Post {
		form.Set("client_id", e.settings.ClientID)
		form.Set("client_secret", secret)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.settings.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("the URL of the token endpoint is malformed") // err repeats it
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	switch id := e.settings.ClientID; e.settings.Authentication {
	case Basic:
		request.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
	case BasicRaw:
		request.SetBasicAuth(id, secret)
	}
	return request, nil
}

// unreachable explains an error without an answer. The client's error names the
// whole URL, of which the query is nobody's business.
func (e *endpoint) unreachable(ctx context.Context, err error, secret string) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	} else if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if text := err.Error(); repeats(text, secret) {
		err = errors.New("the reason repeats the secret, so it is not shown")
	}
	return &passing{reason: fmt.Errorf("token endpoint %s: %w", e.name(), err)}
}

// failure explains an answer that is no token.
func (e *endpoint) failure(response *http.Response, body []byte, secret string) error {
	code := response.StatusCode
	text := fmt.Sprintf("token endpoint %s answers %d", e.name(), code)
	if why := reason(body, secret); why != "" {
		text += " (" + why + ")"
	}
	switch {
	case code >= 300 && code < 400:
		return errors.New(text + ": redirects are not followed, since they would take the secret elsewhere; give the final URL")
	case code == http.StatusTooManyRequests, code >= 500 && code != http.StatusNotImplemented, code == http.StatusRequestTimeout:
		seconds, err := strconv.ParseUint(response.Header.Get("Retry-After"), 10, 16)
		if err != nil {
			seconds = 0 // there is none, or it is a date
		}
		return &passing{errors.New(text), time.Duration(seconds) * time.Second}
	case code == http.StatusBadRequest, code == http.StatusUnauthorized, code == http.StatusForbidden:
		return fmt.Errorf("%w: %s: check the client id, the secret and the scope", sasl.ErrRefused, text)
	}
	return errors.New(text + ": check its URL")
}

// name is the endpoint without what its URL may hide in a query.
func (e *endpoint) name() string {
	u, err := url.Parse(e.settings.TokenURL)
	if err != nil {
		return "(malformed)"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

// repeats says whether a text contains the secret in a form in which it was
// sent. One of one or two bytes is in many a text by chance.
func repeats(text, secret string) bool {
	if len(secret) <= 2 {
		return false
	}
	return strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) ||
		strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret)))
}
