package bench

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// SettingFlags are the flags that are sugar for a property; nil was not given.
type SettingFlags struct {
	Acks      *string
	Linger    *time.Duration
	BatchSize *int64
	// Compression is one of Codecs.
	Compression *string
}

// CompressionNone is the name of no compression.
const CompressionNone = "none"

// Codecs are the values of Java's compression.type.
func Codecs() []string { return []string{CompressionNone, "gzip", "snappy", "lz4", "zstd"} }

// Codec is how batches are compressed, CompressionNone where nothing was said.
func (s *Settings) Codec() string {
	if s.Compression == "" {
		return CompressionNone
	}
	return s.Compression
}

// DefaultLinger is Kafka's since 4.0, and the harness's for every client.
const DefaultLinger = 5 * time.Millisecond

// ParseProps reads name=value pairs.
func ParseProps(pairs []string) (map[string]string, error) {
	props := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("-X %q is not name=value", pair)
		}
		if old, again := props[name]; again && old != value {
			return nil, fmt.Errorf("-X %s is given twice, as %q and %q", name, old, value)
		}
		props[name] = value
	}
	return props, nil
}

// NewSettings joins flags and properties. The properties that every client must
// be told alike become typed; a flag and a property that contradict each other
// are an error rather than a guess.
func NewSettings(flags SettingFlags, props map[string]string) (Settings, error) {
	s := Settings{Acks: "all", Linger: DefaultLinger, Idempotent: true, Props: map[string]string{}}
	var errs []error
	clash := func(name, flag string, given bool) {
		if given {
			errs = append(errs, fmt.Errorf("%s contradicts -X %s=%s", flag, name, props[name]))
		}
	}
	number := func(name string, bits int) int64 {
		v, err := strconv.ParseInt(props[name], 10, bits)
		if err != nil {
			errs = append(errs, fmt.Errorf("-X %s=%s: not a whole number", name, props[name]))
		}
		return v
	}
	idempotence := ""
	for _, name := range sortedKeys(props) {
		value := props[name]
		switch name {
		case "acks":
			s.Acks = value
			clash(name, "--acks", flags.Acks != nil && normalAcks(*flags.Acks) != normalAcks(value))
		case "enable.idempotence":
			idempotence = value
		case "linger.ms":
			s.Linger = time.Duration(number(name, 32)) * time.Millisecond
			clash(name, "--linger", flags.Linger != nil && *flags.Linger != s.Linger)
		case "batch.size":
			s.BatchSize = int(number(name, 32))
			clash(name, "--batch-size", flags.BatchSize != nil && *flags.BatchSize != int64(s.BatchSize))
		case "buffer.memory":
			s.BufferBytes = number(name, 64)
		case "max.in.flight.requests.per.connection":
			s.MaxInFlight = int(number(name, 32))
		case "compression.type":
			s.Compression = value
			clash(name, "--compression", flags.Compression != nil && *flags.Compression != value)
		case "bootstrap.servers":
			errs = append(errs, errors.New("-X bootstrap.servers: use --brokers"))
		default:
			s.Props[name] = value
		}
	}
	if flags.Acks != nil {
		s.Acks = *flags.Acks
	}
	if flags.Linger != nil {
		s.Linger = *flags.Linger
	}
	if flags.BatchSize != nil {
		s.BatchSize = int(*flags.BatchSize)
	}
	if flags.Compression != nil {
		s.Compression = *flags.Compression
	}
	s.Acks = normalAcks(s.Acks)
	switch idempotence {
	case "":
		// As in Java: the default gives way to settings that exclude it.
		s.Idempotent = s.Acks == "all" && s.MaxInFlight <= 5
	case "true", "false":
		if s.Idempotent = idempotence == "true"; s.Idempotent && s.Acks != "all" {
			errs = append(errs, fmt.Errorf("acks=%s contradicts enable.idempotence=true: idempotence needs acks=all", s.Acks))
		}
	default:
		errs = append(errs, fmt.Errorf("-X enable.idempotence=%s: want true or false", idempotence))
	}
	return s, errors.Join(errs...)
}

// Redacted is a copy that may be shown: without the values of Props that sound
// like secrets.
func (s *Settings) Redacted() Settings {
	out := *s
	out.Props = s.named(map[string]string{})
	return out
}

// normalAcks knows both of Java's spellings.
func normalAcks(s string) string {
	if s == "-1" {
		return "all"
	}
	return s
}

// largestRequest is max.request.size, where it is known.
func (s *Settings) largestRequest() (bytes int64, known bool) {
	if text, given := s.Props["max.request.size"]; given {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil // What is no number is refused elsewhere.
	}
	return maxRequestSize, !s.Defaults
}
