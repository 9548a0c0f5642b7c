// Package otlp checks internal/otlp against OpenTelemetry's own protobuf code,
// which the library does without.
package otlp
