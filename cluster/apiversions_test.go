package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// refuse answers ApiVersions in the form of v0 with the error code and, unless
// it is negative, a hint at the newest version.
func refuse(hint int16) script {
	return func(r request) ([]byte, bool) {
		m := kmsg.NewPtrApiVersionsResponse()
		m.ErrorCode = codeUnsupportedVersion
		if hint >= 0 {
			m.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: keyApiVersions, MaxVersion: hint}}
		}
		return frameOf(r, m), true
	}
}

// above uses a lie for requests above a version and the truth below.
func above(version int16, lie script) script {
	return func(r request) ([]byte, bool) {
		if r.version > version {
			return lie(r)
		}
		return nil, true
	}
}

func TestApiVersions(t *testing.T) {
	code := func(code int16) script {
		return func(r request) ([]byte, bool) {
			m := kmsg.NewPtrApiVersionsResponse()
			m.Version, m.ErrorCode = r.version, code
			return frameOf(r, m), true
		}
	}
	tests := []struct {
		name  string
		lie   script
		setup func(b *broker)
		asked []int16 // versions of the requests
		err   string
	}{
		{name: "current broker", asked: []int16{4}},
		{name: "Kafka 3.8 hints at v3", lie: above(3, refuse(3)), asked: []int16{4, 3}},
		{name: "Kafka 2.3 gives no hint", lie: above(0, refuse(-1)), asked: []int16{4, 0}},
		{name: "hint is not lower", lie: above(0, refuse(4)), asked: []int16{4, 0}},
		{name: "hint is higher", lie: above(0, refuse(99)), asked: []int16{4, 0}},
		{name: "hint is a lie", lie: above(2, refuse(3)), asked: []int16{4, 3, 0}},
		{name: "refuses for ever", lie: refuse(0), asked: []int16{4, 0}, err: "every version"},
		{
			name: "refuses for ever, one lower each time",
			lie: func(r request) ([]byte, bool) {
				return refuse(max(r.version-1, 0))(r)
			},
			asked: []int16{4, 3, 2, 1, 0}, err: "every version",
		},
		{name: "another code", lie: code(42), asked: []int16{4}, err: "error code 42"},
		{name: "empty table", setup: func(b *broker) { b.versions = map[int16][2]int16{keyApiVersions: {0, 4}} }, asked: []int16{4}, err: "Metadata"},
		{name: "no Produce", setup: func(b *broker) { delete(b.versions, keyProduce) }, asked: []int16{4}, err: "needs Produce v3 or later"},
		{name: "Produce too old", setup: func(b *broker) { b.versions[keyProduce] = [2]int16{0, 2} }, asked: []int16{4}, err: "offers v0 to v2"},
		{name: "Produce min above max", setup: func(b *broker) { b.versions[keyProduce] = [2]int16{9, 3} }, asked: []int16{4}, err: "Produce"},
		{name: "Metadata too old", setup: func(b *broker) { b.versions[keyMetadata] = [2]int16{0, 3} }, asked: []int16{4}, err: "Metadata"},
		{name: "closes", lie: func(request) ([]byte, bool) { return nil, false }, asked: []int16{4}, err: "TLS or SASL"},
		{name: "truncated", lie: func(request) ([]byte, bool) { return []byte("\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00"), true }, asked: []int16{4}, err: "does not fit"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := newBroker("b:1")
			if tc.lie != nil {
				b.lies[keyApiVersions] = tc.lie
			}
			if tc.setup != nil {
				tc.setup(b)
			}
			link, err := Connect(t.Context(), newWorld(b).config(), "b:1")
			if link != nil {
				defer link.Close()
			}
			if (err != nil) != (tc.err != "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("Connect error = %v, want %q", err, tc.err)
			}
			var asked []int16
			for _, r := range b.seen(keyApiVersions) {
				asked = append(asked, r.version)
			}
			if !slices.Equal(asked, tc.asked) {
				t.Errorf("asked for versions %v, want %v", asked, tc.asked)
			}
			if b.dialled() != 1 {
				t.Errorf("%d connections, want 1", b.dialled())
			}
		})
	}
}

func TestApiVersionsNamesSoftwareOnEveryConnection(t *testing.T) {
	b := newBroker("b:1")
	cfg := newWorld(b).config()
	cfg.SoftwareVersion = "1.2.3"
	for range 2 {
		link, err := Connect(t.Context(), cfg, "b:1")
		if err != nil {
			t.Fatal(err)
		}
		link.Close()
	}
	seen := b.seen(keyApiVersions)
	if len(seen) != 2 {
		t.Fatalf("%d ApiVersions requests over 2 connections", len(seen))
	}
	for _, r := range seen {
		m := r.body.(*kmsg.ApiVersionsRequest)
		if m.ClientSoftwareName != "kring" || m.ClientSoftwareVersion != "1.2.3" || r.clientID != "tester" {
			t.Errorf("request says %q %q, client id %q", m.ClientSoftwareName, m.ClientSoftwareVersion, r.clientID)
		}
	}
}

func TestVersionErrorReachesTheUser(t *testing.T) {
	b := newBroker("b:1")
	delete(b.versions, keyProduce)
	c := mustClient(t, newWorld(b).config("b:1"))
	_, err := c.Metadata(t.Context(), nil)
	if fault := (*VersionError)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), "no broker of b:1 answered") {
		t.Errorf("Metadata error = %v, want an UnreachableError with a VersionError", err)
	}
}
