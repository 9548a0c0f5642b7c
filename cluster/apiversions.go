package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// newestApiVersions is what is asked first. v5 only adds a check of who the
// broker is, and asking for it would cost another round trip per connection
// with every broker that exists today.
const newestApiVersions = 4

// negotiate asks the broker of a new connection for its request versions. Every
// connection asks: brokers match the software name per connection, and the one
// behind an address changes.
//
// A broker that does not know the version asked answers with the newest it
// knows, or, before Kafka 2.4, with nothing; then the version falls to that, or
// to v0. It falls with each turn, so a broker cannot keep the client asking.
func negotiate(ctx context.Context, l *Link, cfg *Config) (Versions, error) {
	for version := int16(newestApiVersions); ; {
		response, err := askVersions(ctx, l, cfg, version)
		if err != nil {
			return Versions{}, err
		}
		versions := newVersions(l.Address, response.ApiKeys)
		for _, f := range response.FinalizedFeatures {
			if f.Name == "transaction.version" {
				versions.transactions = f.MaxVersionLevel
			}
		}
		switch {
		case response.ErrorCode == codeNone:
			return versions, usable(&versions)
		case response.ErrorCode != codeUnsupportedVersion:
			return Versions{}, &CodeError{Code: response.ErrorCode, Context: "ApiVersions of " + l.Address}
		case version == 0:
			return Versions{}, &VersionError{Address: l.Address, Reason: "the broker refuses every version of ApiVersions"}
		}
		lower, hinted := versions.Pick(keyApiVersions, 0, version-1)
		if !hinted || versions.ranges[keyApiVersions].newest >= version {
			lower = 0 // No hint, or one that the broker has just belied.
		}
		version = lower
	}
}

func askVersions(ctx context.Context, l *Link, cfg *Config, version int16) (*kmsg.ApiVersionsResponse, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.SetVersion(version)
	req.ClientSoftwareName = cfg.SoftwareName
	req.ClientSoftwareVersion = cfg.SoftwareVersion
	response, err := l.Request(ctx, req)
	if errors.Is(err, io.EOF) {
		question := "is this a TLS or SASL listener?"
		if cfg.Handshake != nil {
			question = "does it want a client certificate that it did not get?"
		}
		return nil, fmt.Errorf("the broker closed the connection at the first request; %s (%w)", question, err)
	}
	if err != nil {
		return nil, err
	}
	return response.(*kmsg.ApiVersionsResponse), nil
}

// usable refuses a broker that a producer has no use for before anything waits
// for it. Metadata v4 is of the same release as Produce v3.
func usable(v *Versions) error {
	if _, ok := v.Pick(keyMetadata, oldestMetadata, newestMetadata); !ok {
		return v.unsupported("Metadata", keyMetadata, oldestMetadata, newestMetadata)
	}
	if _, ok := v.Pick(keyProduce, oldestProduce, everAfter); !ok {
		return v.unsupported("Produce", keyProduce, oldestProduce, everAfter)
	}
	return nil
}
