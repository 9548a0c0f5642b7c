package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kring-go/kring/sasl"
)

// longestLife keeps the arithmetic of times away from its limits.
const longestLife = 10 * 365 * 24 * time.Hour

// parse reads an answer of RFC 6749, 5.1. Errors contain nothing of it.
func parse(body []byte, began time.Time) (sasl.Token, error) {
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		// Some endpoints write the number as a text, which json.Number takes.
		ExpiresIn json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return sasl.Token{}, errors.New("the answer is not the JSON of a token; is this the URL of the token endpoint?") // err may quote it
	}
	switch {
	case answer.AccessToken == "":
		return sasl.Token{}, errors.New("the answer has no access_token")
	case answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "Bearer"):
		return sasl.Token{}, errors.New("the token is of another type than Bearer")
	}
	return sasl.Token{Value: answer.AccessToken, Expires: expires(answer.AccessToken, answer.ExpiresIn, began)}, nil
}

// expires is when the token ends: expires_in, which needs no common clock, or
// the claim exp of a JWT; the zero time if neither says.
func expires(token string, in json.Number, began time.Time) time.Time {
	if seconds, err := in.Float64(); err == nil && seconds > 0 {
		return began.Add(time.Duration(min(seconds, longestLife.Seconds()) * float64(time.Second)))
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	at := time.Unix(int64(min(claims.Exp, 1e11)), 0)
	if latest := began.Add(longestLife); at.After(latest) {
		return latest
	}
	return at
}

// reason is what an answer of RFC 6749, 5.2 says, fit for a log; empty: nothing.
func reason(body []byte, secret string) string {
	var answer struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return ""
	}
	if repeats(answer.Error+" "+answer.Description, secret) {
		return "with a reason that repeats the secret, so it is not shown"
	}
	text := printable(answer.Error, 60)
	if answer.Description != "" {
		text = fmt.Sprintf("%s: %s", text, printable(answer.Description, 200))
	}
	return text
}

// printable cuts a text and replaces all but ASCII, to which the RFC holds both.
func printable(text string, most int) string {
	cut := text
	if len(cut) > most {
		cut = cut[:most]
	}
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, cut)
	if len(text) > most {
		clean += "..."
	}
	return clean
}
