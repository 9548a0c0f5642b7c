package sasl

import (
	"strings"
	"testing"

	"github.com/xdg-go/scram"
)

const (
	rfcFirst  = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	rfcProof  = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	rfcServer = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

// rfcConversation is that of RFC 7677, with its nonce.
func rfcConversation(t *testing.T) *scramConversation {
	t.Helper()
	client, err := scram.SHA256.NewClientUnprepped("user", "pencil", "")
	if err != nil {
		t.Fatal(err)
	}
	client.WithNonceGenerator(func() string { return "rOprNGfwEbeRWgbNEkqO" })
	c := &scramConversation{talk: client.WithMinIterations(leastIterations).NewConversation(), password: hide("pencil")}
	first, err := c.Step(nil)
	if err != nil || string(first) != "n,,n=user,r=rOprNGfwEbeRWgbNEkqO" {
		t.Fatalf("first message %q, %v", first, err)
	}
	return c
}

func TestScramRFC7677(t *testing.T) {
	c := rfcConversation(t)
	if proof, err := c.Step([]byte(rfcFirst)); err != nil || string(proof) != rfcProof {
		t.Fatalf("proof %q, %v, want %q", proof, err, rfcProof)
	}
	if reply, err := c.Step([]byte(rfcServer)); err != nil || reply != nil {
		t.Errorf("end %q, %v, want none", reply, err)
	}
}

// TestScramHostileFirst is G9: what a broker may not begin with.
func TestScramHostileFirst(t *testing.T) {
	change := func(old, replacement string) string { return strings.Replace(rfcFirst, old, replacement, 1) }
	for _, tc := range []struct{ name, first, want string }{
		{"nothing", "", "malformed"},
		{"an error", "e=other-error", "malformed"},
		{"our nonce and no more", change("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", ""), "nonce"},
		{"another nonce", change("rOpr", "xOpr"), "nonce"},
		{"no salt", change("W22ZaJ0SNY7soEsUEjb6gQ==", ""), "salt"},
		{"too few iterations", change("4096", "4095"), "iterations"},
		{"endless iterations", change("4096", "1000001"), "iterations"},
		{"negative iterations", change("4096", "-1"), "iterations"},
		{"overflow", change("4096", "99999999999999999999999"), "iterations"},
		{"an extension that must be known", "m=x," + rfcFirst, "nonce"},
		{"a salt that is no base64", change("W22Z", "!"), "decoding"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reply, err := rfcConversation(t).Step([]byte(tc.first))
			if err == nil || !strings.Contains(err.Error(), tc.want) || reply != nil {
				t.Errorf("reply %q, error %v, want one about %q", reply, err, tc.want)
			}
		})
	}
}

// TestScramHostileEnd: a broker that does not know the password is not trusted.
func TestScramHostileEnd(t *testing.T) {
	for _, end := range []string{
		"", "v=", "v=AAAA", "e=invalid-proof", strings.Replace(rfcServer, "6rri", "7rri", 1), rfcServer[:20],
	} {
		c := rfcConversation(t)
		if _, err := c.Step([]byte(rfcFirst)); err != nil {
			t.Fatal(err)
		}
		if reply, err := c.Step([]byte(end)); err == nil {
			t.Errorf("%q was taken for a proof, reply %q", end, reply)
		}
	}
}

// TestScramAgainstServer logs in at the library's server, with both hashes and
// names that need escapes.
func TestScramAgainstServer(t *testing.T) {
	for _, tc := range []struct {
		hash     scram.HashGeneratorFcn
		made     Mechanism
		password string
		ok       bool
	}{
		{scram.SHA256, ScramSHA256("a,b=c", "pä=ss,"), "pä=ss,", true},
		{scram.SHA512, ScramSHA512("a,b=c", "pä=ss,"), "pä=ss,", true},
		{scram.SHA512, ScramSHA512("a,b=c", "right"), "wrong", false},
	} {
		stored, err := tc.hash.NewClientUnprepped("a,b=c", tc.password, "")
		if err != nil {
			t.Fatal(err)
		}
		keys, err := stored.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salty", Iters: 5000})
		if err != nil {
			t.Fatal(err)
		}
		server, err := tc.hash.NewServer(func(name string) (scram.StoredCredentials, error) {
			if name != "a,b=c" {
				t.Errorf("the server got the name %q", name)
			}
			return keys, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		talk, err := tc.made.Start(t.Context(), "host")
		if err != nil {
			t.Fatal(err)
		}
		if got := loginAt(t, server.NewConversation(), talk); got != tc.ok {
			t.Errorf("%s: logged in: %t, want %t", tc.made.Name(), got, tc.ok)
		}
	}
}

func loginAt(t *testing.T, server *scram.ServerConversation, talk Conversation) bool {
	t.Helper()
	reply, err := talk.Step(nil)
	for rounds := 0; err == nil && reply != nil && rounds < 5; rounds++ {
		var challenge string
		if challenge, err = server.Step(string(reply)); err == nil || challenge != "" {
			reply, err = talk.Step([]byte(challenge))
		}
	}
	return err == nil && server.Valid()
}
