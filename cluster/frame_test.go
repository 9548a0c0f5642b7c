package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadFrame(t *testing.T) {
	const limit = 1 << 20
	long := strings.Repeat("x", 5*firstRead+1)
	tests := []struct {
		name  string
		bytes string
		want  string
		err   string // part of the message
	}{
		{name: "shortest", bytes: "\x00\x00\x00\x04abcd", want: "abcd"},
		{name: "leaves what follows", bytes: "\x00\x00\x00\x04abcd\x00\x00", want: "abcd"},
		{name: "several reads", bytes: "\x00\x01\x40\x01" + long, want: long},
		{name: "length 0", bytes: "\x00\x00\x00\x00", err: "0 bytes"},
		{name: "length 3", bytes: "\x00\x00\x00\x03abc", err: "3 bytes"},
		{name: "length -1", bytes: "\xff\xff\xff\xff", err: "-1 bytes"},
		{name: "length -2^31", bytes: "\x80\x00\x00\x00", err: "-2147483648 bytes"},
		{name: "length above the limit", bytes: "\x00\x10\x00\x01", err: "1048577 bytes"},
		{name: "length 2^31-1", bytes: "\x7f\xff\xff\xff", err: "2147483647 bytes"},
		{name: "HTTP", bytes: "HTTP/1.1 400 Bad Request\r\n", err: "HTTP"},
		{name: "TLS alert", bytes: "\x15\x03\x03\x00\x02\x02\x50", err: "TLS"},
		{name: "SSH", bytes: "SSH-2.0-OpenSSH", err: "SSH"},
		{name: "end before the length", bytes: "\x00\x00", err: "unexpected EOF"},
		{name: "end", bytes: "", err: "EOF"},
		{name: "end inside", bytes: "\x00\x00\x00\x09abcde", err: "5 bytes into a response of 9"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tc.bytes), iotest.OneByteReader(strings.NewReader(tc.bytes))} {
				got, err := readFrame(r, limit)
				if (err != nil) != (tc.err != "") || string(got) != tc.want {
					t.Fatalf("readFrame = %d bytes, %v; want %d bytes, error %q", len(got), err, len(tc.want), tc.err)
				}
				if err != nil && !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %q does not say %q", err, tc.err)
				}
				if rest, _ := io.ReadAll(r); err == nil && len(rest) != len(tc.bytes)-4-len(tc.want) {
					t.Errorf("readFrame left %d bytes, want %d", len(rest), len(tc.bytes)-4-len(tc.want))
				}
			}
		})
	}
}

// A broker that claims 99 MiB and sends 100 KiB gets memory for what it sent.
func TestReadFrameMemory(t *testing.T) {
	sent := make([]byte, 100<<10)
	binary.BigEndian.PutUint32(sent, 99<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readFrame(bytes.NewReader(sent), defaultMaxFrame)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("readFrame error = %v, want an unexpected EOF", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 10*uint64(len(sent)) {
		t.Errorf("readFrame allocated %d bytes for %d sent", used, len(sent))
	}
}

// What the peer is shows in the error, and Connect does not try again.
func TestConnectToNoBroker(t *testing.T) {
	tests := []struct {
		name, greeting, want string
	}{
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "speaks HTTP"},
		{"TLS", "\x15\x03\x03\x00\x02\x02\x50", "speaks TLS"},
		{"closes at once", "", "closed the connection"},
		{"huge", "\x7f\xff\xff\xff", "2147483647"},
		{"response nobody asked for", "\x00\x00\x00\x06\x00\x00\x00\x63\x00\x00", "correlation id 99"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := newBroker("b:1")
			b.greeting = []byte(tc.greeting)
			w := newWorld(b)
			_, err := Connect(t.Context(), w.config(), "b:1")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Connect error = %v, want one that says %q", err, tc.want)
			}
			if b.dialled() != 1 {
				t.Errorf("Connect dialled %d times", b.dialled())
			}
			c := mustClient(t, w.config("b:1"))
			_, err = c.Metadata(context.Background(), nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "no broker of b:1") {
				t.Errorf("Metadata error = %v, want one that names b:1 and says %q", err, tc.want)
			}
		})
	}
}
