package kring

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestReadProperties(t *testing.T) {
	tests := []struct {
		name string
		text string
		want map[string]string
	}{
		{"empty", "", map[string]string{}},
		{"the three signs", "a=1\nb:2\nc 3\nd\t4", map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}},
		{"blanks around the sign", "  a  =  1  \n\tb : 2", map[string]string{"a": "1  ", "b": "2"}},
		{"only the first sign counts", "a==1\nb = :2\nc:d=e", map[string]string{"a": "=1", "b": ":2", "c": "d=e"}},
		{"comments and blank lines", "# a=1\n  ! b=2\n\n   \nc=#3", map[string]string{"c": "#3"}},
		{"no value", "a\nb=\nc:   ", map[string]string{"a": "", "b": "", "c": ""}},
		{"no name", "=1", map[string]string{"": "1"}},
		{"the last one wins", "a=1\na=2", map[string]string{"a": "2"}},
		{"line ends", "a=1\rb=2\r\nc=3\n\rd=4", map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}},
		{"continued", "a=1,\\\n   2,\\\r\n\t3\nb=4", map[string]string{"a": "1,2,3", "b": "4"}},
		{"continued name", "a\\\n  b=1", map[string]string{"ab": "1"}},
		{"continued to the end", "a=1\\", map[string]string{"a": "1"}},
		{"continued by a comment sign", "a=1\\\n#2", map[string]string{"a": "1#2"}},
		{"comments do not continue", "#a\\\nb=1", map[string]string{"b": "1"}},
		{"continued into a blank line", "a=1\\\n\nb=2", map[string]string{"a": "1", "b": "2"}},
		{"even backslashes do not continue", "a=1\\\\\nb=2", map[string]string{"a": `1\`, "b": "2"}},
		{"odd ones do", "a=1\\\\\\\nb=2", map[string]string{"a": `1\b=2`}},
		{"escapes", `a=\t\n\r\f\\\"\'\z`, map[string]string{"a": "\t\n\r\f\\\"'z"}},
		{"escaped signs", `a\=b\:c\ d=1`, map[string]string{"a=b:c d": "1"}},
		{"escaped comment", `\#a=1`, map[string]string{"#a": "1"}},
		{"escaped blank before a value", `a=\ 1`, map[string]string{"a": " 1"}},
		{"unicode", `a=\u0041\u00e9\u20AC`, map[string]string{"a": "Aé€"}},
		{"surrogates", `a=\ud83d\ude00`, map[string]string{"a": "😀"}},
		{"half a surrogate", `a=\ud83dx`, map[string]string{"a": "\ufffdx"}},
		{"two first halves", `a=\ud83d\ud83d`, map[string]string{"a": "\ufffd\ufffd"}},
		{"UTF-8", "a=ü😀", map[string]string{"a": "ü😀"}},
		{"a Windows path", `a=C:\\x`, map[string]string{"a": `C:\x`}},
		{"JAAS", "sasl.jaas.config=x.Y required \\\n  user=\"u\" \\\n  pass=\"p=1\";", map[string]string{"sasl.jaas.config": `x.Y required user="u" pass="p=1";`}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ReadProperties(strings.NewReader(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got, tc.want) {
				t.Errorf("ReadProperties = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestReadPropertiesProblems(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{
			"escapes, all of them", "# \\u\nfirst=\\\n  \\u12\nok=1\nsecond=\\uhunter2\nthird=\\u00",
			"kring: properties line 2 (first): a \\u must be followed by four hexadecimal digits\n" +
				"kring: properties line 5 (second): a \\u must be followed by four hexadecimal digits\n" +
				"kring: properties line 6 (third): a \\u must be followed by four hexadecimal digits",
		},
		{"in a name", `ab\uxyzw=1`, "kring: properties line 1 (ab): a \\u must be followed by four hexadecimal digits"},
		{"a sign among the digits", `a=\u+123`, "kring: properties line 1 (a): a \\u must be followed by four hexadecimal digits"},
		{"not text", "a=\xff", "kring: properties: the text is not UTF-8"},
		{"too large", strings.Repeat("#", maxPropertiesSize+1), "kring: properties: more than 1048576 bytes"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ReadProperties(strings.NewReader(tc.text))
			if err == nil || got != nil || err.Error() != tc.want {
				t.Errorf("ReadProperties = %v, %v, want %s", got, err, tc.want)
			}
			if !errors.Is(err, ErrConfig) {
				t.Error("the error is not ErrConfig")
			}
		})
	}
	t.Run("the reader fails", func(t *testing.T) {
		cause := errors.New("disk on fire")
		if _, err := ReadProperties(iotest.ErrReader(cause)); !errors.Is(err, cause) {
			t.Errorf("error %v, want %v", err, cause)
		}
	})
}

// writeProperty writes a property in a form that ReadProperties must take for
// the same: everything that means something is escaped.
func writeProperty(b *strings.Builder, name, value string) {
	escape := func(s string) {
		for _, c := range s {
			switch c {
			case '\t':
				b.WriteString(`\t`)
			case '\n':
				b.WriteString(`\n`)
			case '\r':
				b.WriteString(`\r`)
			case '\f':
				b.WriteString(`\f`)
			case ' ', '=', ':', '#', '!', '\\':
				b.WriteByte('\\')
				b.WriteRune(c)
			default:
				b.WriteRune(c)
			}
		}
	}
	escape(name)
	b.WriteByte('=')
	escape(value)
	b.WriteByte('\n')
}

func FuzzReadProperties(f *testing.F) {
	f.Add(javaDefaults)
	f.Add("a=1,\\\n 2\r\nb\\u0041 : \\ud83d\\ude00\\")
	f.Add("\\")
	f.Add("a=\\u12")
	f.Add("!\\\n#\\\r\n=\\:")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReadProperties(strings.NewReader(text))
		if err != nil {
			return
		}
		// What was read can be written and read again.
		var b strings.Builder
		for name, value := range got {
			if !utf8.ValidString(name) || !utf8.ValidString(value) {
				t.Fatalf("%q = %q is not UTF-8", name, value)
			}
			writeProperty(&b, name, value)
		}
		again, err := ReadProperties(strings.NewReader(b.String()))
		if err != nil || !maps.Equal(got, again) {
			t.Fatalf("%q read as %q, written %q, read as %q, %v", text, got, b.String(), again, err)
		}
		// No text can make FromProperties panic, or an option that does.
		if opt, err := FromProperties(got); err == nil {
			if _, err := newConfig([]Option{opt}); err != nil && !errors.Is(err, ErrConfig) {
				t.Fatalf("newConfig: %v", err)
			}
		}
	})
}
