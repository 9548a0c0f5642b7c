package sasl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FromJAAS makes a mechanism of a Java client's properties sasl.mechanism and
// sasl.jaas.config, such as
//
//	org.apache.kafka.common.security.plain.PlainLoginModule required
//	    username="app" password="secret";
//
// It knows PlainLoginModule and ScramLoginModule, and their username and
// password. The text is data: it names no class that is loaded, and no file or
// variable that is read. Errors contain no value of it.
func FromJAAS(mechanism, config string) (Mechanism, error) {
	module, options, err := ParseJAAS(config)
	if err != nil {
		return nil, err
	}
	const plainModule = "org.apache.kafka.common.security.plain.PlainLoginModule"
	const scramModule = "org.apache.kafka.common.security.scram.ScramLoginModule"
	var want string
	var made Mechanism
	user, password := options["username"], options["password"]
	switch mechanism {
	case "PLAIN":
		want, made = plainModule, Plain(user, password)
	case "SCRAM-SHA-256":
		want, made = scramModule, ScramSHA256(user, password)
	case "SCRAM-SHA-512":
		want, made = scramModule, ScramSHA512(user, password)
	default:
		return nil, errors.New("only PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 can be configured by a JAAS text")
	}
	if module != want {
		return nil, fmt.Errorf("%s needs the login module %s, and the text names another one", mechanism, want)
	}
	for name := range options {
		switch name {
		case "username", "password":
		case "tokenauth":
			return nil, errors.New("logging in with a delegation token (tokenauth) is not supported")
		default:
			return nil, errors.New("the login module has an option besides username and password")
		}
	}
	if err := made.(interface{ Check() error }).Check(); err != nil {
		return nil, err
	}
	return made, nil
}

// ParseJAAS reads the value of a Java client's sasl.jaas.config, for mechanisms
// that FromJAAS does not know: the name of the login module, and its options. As
// there, the text is data, and errors contain no value of it. It reads one entry:
// module, flag, name=value …, semicolon.
func ParseJAAS(config string) (module string, options map[string]string, err error) {
	s := scanner{rest: config}
	module = s.word()
	switch flag := s.word(); strings.ToLower(flag) {
	case "required", "requisite", "sufficient", "optional":
	default:
		return "", nil, errors.New("want a login module, \"required\", its options and a semicolon")
	}
	options = map[string]string{}
	for {
		name := s.token()
		if name.kind == ';' {
			break
		}
		if name.kind != wordToken || s.token().kind != '=' {
			return "", nil, errors.New("want options as name=\"value\" and a semicolon after the last one")
		}
		value := s.token()
		if value.kind != wordToken && value.kind != quotedToken {
			return "", nil, errors.New("an option has no value, or a quote is missing")
		}
		if _, again := options[name.text]; again {
			return "", nil, errors.New("an option comes twice")
		}
		options[name.text] = value.text
	}
	if s.token().kind != endToken {
		return "", nil, errors.New("want one login module, and there is something after its semicolon")
	}
	return module, options, nil
}

// Kinds of token, besides single characters such as ';' and '='.
const (
	endToken    rune = -1
	wordToken   rune = -2
	quotedToken rune = -3
	badToken    rune = -4
)

type token struct {
	kind rune
	text string
}

// scanner reads the tokens of Java's JAAS texts.
type scanner struct{ rest string }

// word returns the next token if it is a word.
func (s *scanner) word() string {
	if t := s.token(); t.kind == wordToken {
		return t.text
	}
	return ""
}

func (s *scanner) token() token {
	if !s.skipBlanks() {
		return token{kind: badToken}
	}
	if s.rest == "" {
		return token{kind: endToken}
	}
	if c := s.rest[0]; c == '"' || c == '\'' {
		return s.quoted(c)
	}
	end := strings.IndexFunc(s.rest, func(r rune) bool { return !isWord(r) })
	if end < 0 {
		end = len(s.rest)
	}
	if end == 0 {
		r, size := utf8.DecodeRuneInString(s.rest)
		s.rest = s.rest[size:]
		return token{kind: r}
	}
	word := s.rest[:end]
	s.rest = s.rest[end:]
	return token{wordToken, word}
}

func isWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-$", r) || r > 0x9f
}

// skipBlanks skips comments as well. It is false if one does not end.
func (s *scanner) skipBlanks() bool {
	for {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n\f")
		switch {
		case strings.HasPrefix(s.rest, "//"):
			_, s.rest, _ = strings.Cut(s.rest, "\n")
		case strings.HasPrefix(s.rest, "/*"):
			var ended bool
			if _, s.rest, ended = strings.Cut(s.rest[2:], "*/"); !ended {
				return false
			}
		default:
			return true
		}
	}
}

// quoted reads up to the closing quote, with the escapes of Java's tokenizer.
func (s *scanner) quoted(quote byte) token {
	var text strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == quote:
			s.rest = s.rest[i+1:]
			return token{quotedToken, text.String()}
		case c == '\n' || c == '\r':
			return token{kind: badToken}
		case c == '\\' && i+1 < len(s.rest):
			i++
			i += escape(&text, s.rest[i:]) - 1
		default:
			text.WriteByte(c)
		}
	}
	return token{kind: badToken}
}

// escape writes what follows a backslash and returns its length.
func escape(text *strings.Builder, rest string) int {
	const names, meanings = "abfnrtv", "\a\b\f\n\r\t\v"
	if i := strings.IndexByte(names, rest[0]); i >= 0 {
		text.WriteByte(meanings[i])
		return 1
	}
	digits := 0
	for digits < min(3, len(rest)) && rest[digits] >= '0' && rest[digits] <= '7' {
		digits++
	}
	if digits == 3 && rest[0] > '3' {
		digits = 2
	}
	if digits > 0 {
		n, _ := strconv.ParseUint(rest[:digits], 8, 8) // three such digits always fit
		text.WriteRune(rune(n))
		return digits
	}
	_, size := utf8.DecodeRuneInString(rest)
	text.WriteString(rest[:size])
	return size
}
