package sasl

import (
	"strings"
	"testing"
)

const (
	plainJAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required "
	scramJAAS = "org.apache.kafka.common.security.scram.ScramLoginModule required "
)

func TestFromJAAS(t *testing.T) {
	tests := []struct {
		name, mechanism, text string
		want                  string // PLAIN's message, after the first NUL
		err                   string
	}{
		{"plain", "PLAIN", plainJAAS + `username="u" password="p";`, "u\x00p", ""},
		{"apostrophes, other order, lines, comments", "PLAIN", "/* a */ " + plainJAAS + "\n  password='p' // b\n username='u'\n;", "u\x00p", ""},
		{"no quotes", "PLAIN", plainJAAS + `username=u-1 password=p_2.3;`, "u-1\x00p_2.3", ""},
		{"escapes", "PLAIN", plainJAAS + `username="u" password="a\"b\\c\t\101;é";`, "u\x00a\"b\\c\tA;é", ""},
		{"no variable is read", "PLAIN", plainJAAS + `username="u" password="${env:HOME}";`, "u\x00${env:HOME}", ""},
		{"no semicolon", "PLAIN", plainJAAS + `username="u" password="hunter2"`, "", "semicolon"},
		{"two modules", "PLAIN", plainJAAS + `username="u" password="hunter2"; x required;`, "", "one login module"},
		{"no flag", "PLAIN", `x username="hunter2";`, "", "login module"},
		{"empty", "PLAIN", "", "", "login module"},
		{"an open quote", "PLAIN", plainJAAS + `username="u" password="hunter2;`, "", "quote"},
		{"an open comment", "PLAIN", plainJAAS + `/* username="u" password="hunter2";`, "", "semicolon"},
		{"twice", "PLAIN", plainJAAS + `username="u" password="hunter2" password="x";`, "", "twice"},
		{"no password", "PLAIN", plainJAAS + `username="u";`, "", "password is empty"},
		{"another option", "PLAIN", plainJAAS + `username="u" password="hunter2" hunter2="x";`, "", "besides username"},
		{"a delegation token", "SCRAM-SHA-256", scramJAAS + `username="u" password="hunter2" tokenauth="true";`, "", "delegation token"},
		{"the wrong module", "SCRAM-SHA-256", plainJAAS + `username="u" password="hunter2";`, "", "ScramLoginModule"},
		{"a module that is a class to load", "PLAIN", `com.sun.security.auth.module.JndiLoginModule required user.provider.url="ldap://hunter2";`, "", "PlainLoginModule"},
		{"a mechanism without", "OAUTHBEARER", plainJAAS + `username="u" password="hunter2";`, "", "only PLAIN"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m, err := FromJAAS(tc.mechanism, tc.text)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("error %v, want one about %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if replies, err := steps(t, m, ""); err != nil || replies[0] != "\x00"+tc.want {
				t.Errorf("sends %q, %v, want %q", replies, err, tc.want)
			}
		})
	}
}

// FuzzFromJAAS: any text ends in a mechanism or an error.
func FuzzFromJAAS(f *testing.F) {
	for _, seed := range []string{"", plainJAAS, plainJAAS + `username="u" password="p";`, `a b c='\9\777\`, "/*", "// x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := FromJAAS("PLAIN", text); (m == nil) == (err == nil) {
			t.Errorf("%v, %v", m, err)
		}
	})
}
