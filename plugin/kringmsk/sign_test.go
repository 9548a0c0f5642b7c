package kringmsk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	foreign "github.com/twmb/franz-go/pkg/sasl/aws"

	"github.com/kring-go/kring/sasl"
)

const host = "b-1.demo.abc123.c2.kafka.eu-west-1.amazonaws.com"

func keys(token string) Credentials {
	return Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: canary, SessionToken: token}
}

// message is what a mechanism says first.
func message(t *testing.T, m sasl.Mechanism, host string) map[string]string {
	t.Helper()
	talk, err := m.Start(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	text, err := talk.Step(nil)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

func decode(t *testing.T, text []byte) map[string]string {
	t.Helper()
	got := map[string]string{}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// at is a mechanism whose clock stands.
func at(now time.Time, c Credentials, options ...Option) sasl.Mechanism {
	m := New(fixed(c), options...).(*mechanism)
	m.now = func() time.Time { return now }
	return m
}

// TestSignature follows AWS's documentation of Signature Version 4, step by
// step, over what the message says of itself.
func TestSignature(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("far east", 9*3600))
	for _, token := range []string{"", "a+token/with=signs ~%"} {
		got := message(t, at(now, keys(token)), host)
		want := map[string]string{
			"version": "2020_10_22", "host": host, "user-agent": "kring", "action": "kafka-cluster:Connect",
			"x-amz-algorithm":     "AWS4-HMAC-SHA256",
			"x-amz-credential":    "AKIDEXAMPLE/20260303/eu-west-1/kafka-cluster/aws4_request",
			"x-amz-date":          "20260303T200607Z",
			"x-amz-expires":       "900",
			"x-amz-signedheaders": "host",
		}
		if token != "" {
			want["x-amz-security-token"] = token
		}
		want["x-amz-signature"] = signature(want)
		if !maps.Equal(got, want) {
			t.Errorf("message %v, want %v", got, want)
		}
	}
}

// signature is that of the documentation: canonical request, string to sign,
// signing key.
func signature(m map[string]string) string {
	names := map[string]string{"action": "Action", "x-amz-security-token": "X-Amz-Security-Token", "x-amz-signedheaders": "X-Amz-SignedHeaders"}
	var query []string
	for name, value := range m {
		proper, ok := names[name]
		switch {
		case ok:
		case strings.HasPrefix(name, "x-amz-"):
			proper = "X-Amz-" + strings.ToUpper(name[6:7]) + name[7:]
		default:
			continue
		}
		query = append(query, proper+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
	}
	slices.Sort(query)
	empty := sha256.Sum256(nil)
	canonical := strings.Join([]string{
		"GET", "/", strings.Join(query, "&"), "host:" + m["host"], "", "host", hex.EncodeToString(empty[:]),
	}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	_, scope, _ := strings.Cut(m["x-amz-credential"], "/")
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", m["x-amz-date"], scope, hex.EncodeToString(hash[:])}, "\n")
	key := []byte("AWS4" + canary)
	for _, part := range append(strings.Split(scope, "/"), toSign) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}

// TestAgainstFranz signs what franz-go has signed, at its time.
func TestAgainstFranz(t *testing.T) {
	for _, token := range []string{"", "a+token/with=signs"} {
		other := foreign.Auth{AccessKey: "AKIDEXAMPLE", SecretKey: canary, SessionToken: token, UserAgent: "me"}.AsManagedStreamingIAMMechanism()
		if got := New(fixed(keys(""))).Name(); got != other.Name() {
			t.Errorf("name %s, want %s", got, other.Name())
		}
		_, text, err := other.Authenticate(t.Context(), host+":9098")
		if err != nil {
			t.Fatal(err)
		}
		want := decode(t, text)
		when, err := time.Parse("20060102T150405Z", want["x-amz-date"])
		if err != nil {
			t.Fatal(err)
		}
		c := keys(token)
		c.Expires = when.Add(300 * time.Second) // franz-go asks for so long
		if got := message(t, at(when, c, UserAgent("me")), host); !maps.Equal(got, want) {
			t.Errorf("message %v, want %v", got, want)
		}
	}
}

func TestExpiry(t *testing.T) {
	now := time.Now()
	for _, tc := range []struct {
		left time.Duration // 0: for ever
		want string
	}{
		{0, "900"},
		{time.Hour, "900"},
		{300*time.Second + time.Millisecond, "300"},
		{time.Millisecond, "1"},
	} {
		c := keys("t")
		if tc.left > 0 {
			c.Expires = now.Add(tc.left)
		}
		if got := message(t, at(now, c), host)["x-amz-expires"]; got != tc.want {
			t.Errorf("with %v left the message expires in %s s, want %s", tc.left, got, tc.want)
		}
	}
}

func TestRegion(t *testing.T) {
	for _, tc := range []struct{ host, option, want, err string }{
		{host, "", "eu-west-1", ""},
		{strings.ToUpper(host) + ".", "", "eu-west-1", ""},
		{"b-1.c.x.c2.kafka.cn-north-1.amazonaws.com.cn", "", "cn-north-1", ""},
		{"boot-a1.c3.kafka-serverless.us-gov-west-1.amazonaws.com", "", "us-gov-west-1", ""},
		{"kafka.internal", "us-east-1", "us-east-1", ""},
		{host, "us-east-1", "us-east-1", ""},
		{"kafka.internal", "", "", `name "kafka.internal" does not say`},
		{"b.kafka.eu-west-1.example.com", "", "", "does not say"},
		{"10.0.0.1", "", "", `address "10.0.0.1"`},
		{"kafka", "", "", "does not say"},
	} {
		t.Run(fmt.Sprint(tc.host, tc.option), func(t *testing.T) {
			m := New(fixed(keys("")), Region(tc.option))
			if tc.err != "" {
				if _, err := m.Start(t.Context(), tc.host); err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %q", err, tc.err)
				}
				return
			}
			got := message(t, m, tc.host)
			if scope := strings.Split(got["x-amz-credential"], "/"); scope[2] != tc.want {
				t.Errorf("region %s, want %s", scope[2], tc.want)
			}
			if got["host"] != strings.ToLower(strings.TrimSuffix(tc.host, ".")) {
				t.Errorf("host %s", got["host"])
			}
		})
	}
}
