package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"unicode/utf8"
)

// PayloadOfFile is the kind of payload that comes from a PayloadFile.
const PayloadOfFile = "file"

// PayloadFile is where the values of a run come from, in place of a generator.
// It travels in plans and ledgers: whoever sends or verifies reads the values
// again, and refuses others than the plan was made with.
type PayloadFile struct {
	Path      string `json:"path"`                // absolute; a folder has a value in each of its files
	Delimiter string `json:"delimiter,omitempty"` // between the values of a file
	Sum       string `json:"sum"`                 // of all values, in order
	Values    int    `json:"values"`

	loaded *fileValues // nil in a process that has the plan only
}

const (
	// maxPayloadBytes bounds what is read, and maxPayloadValues what is noted
	// of it: 16 bytes for each value.
	maxPayloadBytes  = 1 << 30
	maxPayloadValues = 10_000_000
	// lineDelimiter also ends lines of \r\n.
	lineDelimiter = "\n"
)

// LoadPayloadFile reads the values: what stands between delimiters, or every
// regular file of a folder. An empty delimiter is the end of a line, with or
// without \r. The file's last delimiter ends its last value; any other two in a
// row have an empty value between them.
func LoadPayloadFile(path, delimiter string) (*PayloadFile, error) {
	plain, err := unescapeDelimiter(delimiter)
	if err != nil {
		return nil, fmt.Errorf("--payload-delimiter: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("--payload-file: %w", err)
	}
	p := &PayloadFile{Path: absolute, Delimiter: plain}
	if p.loaded, err = p.read(maxPayloadBytes, maxPayloadValues); err != nil {
		return nil, fmt.Errorf("--payload-file %s: %w", path, err)
	}
	p.Sum, p.Values = p.loaded.sum(), p.loaded.count()
	return p, nil
}

// unescapeDelimiter reads \n, \t, \r, \0, \\ and \x1e as Go does; anything else
// stands for itself.
func unescapeDelimiter(s string) (string, error) {
	var out []byte
	for rest := s; rest != ""; {
		if len(rest) > 1 && rest[:2] == `\0` {
			out, rest = append(out, 0), rest[2:]
			continue
		}
		if rest[0] != '\\' {
			out, rest = append(out, rest[0]), rest[1:]
			continue
		}
		c, multibyte, tail, err := strconv.UnquoteChar(rest, 0)
		if err != nil {
			return "", fmt.Errorf(`%q: want text, in which \n, \r, \t, \0, \\ and \xHH are characters`, s)
		}
		if multibyte {
			out = utf8.AppendRune(out, c)
		} else {
			out = append(out, byte(c))
		}
		rest = tail
	}
	return string(out), nil
}

// open is the values; they are read once in a process.
func (p *PayloadFile) open() (*fileValues, error) {
	if p.loaded != nil {
		return p.loaded, nil
	}
	v, err := p.read(maxPayloadBytes, maxPayloadValues)
	if err == nil && v.sum() != p.Sum {
		err = errors.New("its values have changed since the run was planned")
	}
	if err != nil {
		return nil, fmt.Errorf("--payload-file %s: %w", p.Path, err)
	}
	p.loaded = v
	return v, nil
}

// Sizes bounds the values' sizes; nothing is drawn from it.
func (p *PayloadFile) Sizes() Sizes {
	low, high := p.loaded.size(0), 0
	for i := range p.loaded.count() {
		low, high = min(low, p.loaded.size(i)), max(high, p.loaded.size(i))
	}
	return Sizes{spec: fmt.Sprintf("%s:%d-%d", sizesOfFile, low, high), parts: []sizePart{{1, low, high}}, weight: 1}
}

func (p *PayloadFile) read(maxBytes int64, maxValues int) (*fileValues, error) {
	info, err := os.Stat(p.Path)
	if err != nil {
		return nil, unwrapPath(err)
	}
	v := &fileValues{}
	switch {
	case info.IsDir() && p.Delimiter != "":
		return nil, errors.New("--payload-delimiter is for a file: in a folder each file is one value")
	case info.IsDir():
		err = v.readFolder(p.Path, maxBytes)
	case !info.Mode().IsRegular():
		// The broker's process and workers read it as well.
		err = errors.New("is neither a file nor a folder")
	default:
		err = v.readFile(p.Path, info.Size(), maxBytes)
		if err == nil {
			err = v.split(p.Delimiter, maxValues)
		}
	}
	if err != nil {
		return nil, err
	}
	return v, v.finish(maxValues)
}

func (v *fileValues) readFile(path string, size, maxBytes int64) error {
	if size > maxBytes-int64(len(v.bytes)) {
		return fmt.Errorf("has more than %s", formatBytes(float64(maxBytes)))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return unwrapPath(err)
	}
	if int64(len(v.bytes)+len(text)) > maxBytes { // It has grown meanwhile.
		return fmt.Errorf("has more than %s", formatBytes(float64(maxBytes)))
	}
	if v.bytes == nil {
		v.bytes = text
	} else {
		v.bytes = append(v.bytes, text...)
	}
	return nil
}

// readFolder takes the files in the order of their names.
func (v *fileValues) readFolder(dir string, maxBytes int64) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return unwrapPath(err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		at := len(v.bytes)
		if err := v.readFile(path, info.Size(), maxBytes); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		v.spans = append(v.spans, span{uint32(at), uint32(len(v.bytes))})
	}
	if len(v.spans) == 0 {
		return errors.New("has no files")
	}
	return nil
}

// split finds the values of a file.
func (v *fileValues) split(delimiter string, maxValues int) error {
	if len(v.bytes) == 0 {
		return errors.New("is empty")
	}
	lines := delimiter == "" || delimiter == lineDelimiter
	if lines {
		delimiter = lineDelimiter
	}
	for at := 0; at < len(v.bytes); {
		size := bytes.Index(v.bytes[at:], []byte(delimiter))
		next := at + size + len(delimiter)
		if size < 0 {
			size, next = len(v.bytes)-at, len(v.bytes)
		}
		end := at + size
		if lines && next > end && size > 0 && v.bytes[end-1] == '\r' {
			end--
		}
		if len(v.spans) == maxValues {
			break // finish refuses it.
		}
		v.spans = append(v.spans, span{uint32(at), uint32(end)})
		at = next
	}
	return nil
}

// unwrapPath leaves out the path, which the caller names as the user did.
func unwrapPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
