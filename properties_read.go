package kring

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxPropertiesSize bounds what ReadProperties reads, far above any file of
// settings.
const maxPropertiesSize = 1 << 20

// ReadProperties reads a file in Java's .properties syntax: lines of name=value,
// name:value or name value; # and ! start a comment; a backslash at the end
// continues the line; \t \n \r \f \\ and \uXXXX are escapes, and a backslash
// before any other character stands for that character. Of a name that comes
// twice the last one counts. The text is UTF-8 (Java's is ISO 8859-1, where its
// reader is given no character set).
//
// It expands nothing: neither variables nor files nor classes. Its errors never
// contain a value, which may be a secret.
func ReadProperties(r io.Reader) (map[string]string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPropertiesSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("kring: reading properties: %w", err)
	case len(data) > maxPropertiesSize:
		return nil, configProblem(fmt.Sprintf("properties: more than %d bytes", maxPropertiesSize))
	case !utf8.Valid(data):
		return nil, configProblem("properties: the text is not UTF-8")
	}
	properties := make(map[string]string)
	var problems []error
	for rest, line := string(data), 0; rest != ""; {
		var logical string
		var natural int
		logical, rest, natural = logicalLine(rest)
		first := line + 1
		line += natural
		if logical == "" {
			continue
		}
		rawName, rawValue := splitProperty(logical)
		name, errName := unescape(rawName)
		value, errValue := unescape(rawValue)
		if err := errors.Join(errName, errValue); err != nil {
			problems = append(problems, configProblem(
				fmt.Sprintf("properties line %d (%s): a \\u must be followed by four hexadecimal digits", first, clip(name))))
			continue
		}
		properties[name] = value
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return properties, nil
}

// logicalLine takes one line off the text, with the lines that continue it, and
// counts how many it took. Blank lines and comments come back empty.
func logicalLine(text string) (logical, rest string, natural int) {
	var b strings.Builder
	for {
		var line string
		line, text = naturalLine(text)
		natural++
		line = strings.TrimLeft(line, " \t\f")
		if natural == 1 && line != "" && (line[0] == '#' || line[0] == '!') {
			return "", text, natural
		}
		// An even number of backslashes is that many escaped ones.
		trailing := len(line) - len(strings.TrimRight(line, `\`))
		if trailing%2 == 0 {
			b.WriteString(line)
			return b.String(), text, natural
		}
		b.WriteString(line[:len(line)-1])
		if text == "" {
			return b.String(), text, natural
		}
	}
}

// naturalLine cuts at the first of \n, \r and \r\n.
func naturalLine(text string) (line, rest string) {
	i := strings.IndexAny(text, "\r\n")
	switch {
	case i < 0:
		return text, ""
	case strings.HasPrefix(text[i:], "\r\n"):
		return text[:i], text[i+2:]
	default:
		return text[:i], text[i+1:]
	}
}

// splitProperty cuts a logical line at the first =, : or blank that is not
// escaped. Blanks around the sign belong to neither side.
func splitProperty(line string) (name, value string) {
	end := 0
	for end < len(line) && !strings.ContainsRune("=: \t\f", rune(line[end])) {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(line))
	name, value = line[:end], strings.TrimLeft(line[end:], " \t\f")
	if value != "" && (value[0] == '=' || value[0] == ':') {
		value = strings.TrimLeft(value[1:], " \t\f")
	}
	return name, value
}

// unescape resolves the escapes of a name or value. On an error it returns what
// came before it.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for s != "" {
		plain, escaped, found := strings.Cut(s, `\`)
		b.WriteString(plain)
		if !found || escaped == "" {
			break
		}
		c, size := utf8.DecodeRuneInString(escaped)
		s = escaped[size:]
		switch c {
		case 't':
			b.WriteByte('\t')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			r, rest, err := unicodeEscape(s)
			if err != nil {
				return b.String(), err
			}
			b.WriteRune(r)
			s = rest
		default:
			b.WriteRune(c)
		}
	}
	return b.String(), nil
}

// unicodeEscape reads the digits after \u, and those of a second escape where
// the first is half of a surrogate pair, Java's form of a rune above U+FFFF. A
// half alone becomes the replacement character.
func unicodeEscape(s string) (r rune, rest string, err error) {
	unit, rest, err := hexUnit(s)
	if err != nil || !utf16.IsSurrogate(unit) {
		return unit, rest, err
	}
	if low, after, found := strings.Cut(rest, `\u`); found && low == "" {
		second, after, err := hexUnit(after)
		if pair := utf16.DecodeRune(unit, second); err == nil && pair != utf8.RuneError {
			return pair, after, nil
		}
	}
	return utf8.RuneError, rest, nil
}

func hexUnit(s string) (unit rune, rest string, err error) {
	if len(s) < 4 {
		return 0, "", strconv.ErrSyntax
	}
	n, err := strconv.ParseUint(s[:4], 16, 16)
	return rune(n), s[4:], err
}
