package bench

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/cluster"
)

// PropertyReader makes kring's options of properties in Java's words, as
// kring.FromProperties does; one that knows more of them, such as Java's key
// stores, may take its place.
type PropertyReader func(properties map[string]string) ([]kring.Option, error)

// read is Settings.Read, or kring's own.
func (s *Settings) read(properties map[string]string) ([]kring.Option, error) {
	if s.Read != nil {
		return s.Read(properties)
	}
	option, err := kring.FromProperties(properties)
	return []kring.Option{option}, err
}

// Access is the harness's own way to a cluster: it asks for topics and offsets,
// and reads back. It connects with the TLS and the login of the client that is
// measured.
type Access struct {
	Brokers []string
	config  cluster.Config
}

// Connecting reports whether the property of this name says how to connect: TLS,
// or a login.
func Connecting(name string) bool {
	for _, prefix := range []string{"security.", "ssl.", "sasl.", "kring.insecure."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// Secured says that the properties ask for TLS or a login.
func (s *Settings) Secured() bool {
	protocol := strings.TrimSpace(s.Props["security.protocol"])
	return protocol != "" && !strings.EqualFold(protocol, "PLAINTEXT")
}

// Access makes the harness's way to Brokers of the properties that are about
// connections; what else a client is told does not concern it.
func (s *Settings) Access() (*Access, error) {
	properties := map[string]string{}
	for name, value := range s.Props {
		if Connecting(name) {
			properties[name] = value
		}
	}
	options, err := s.read(properties)
	if err != nil {
		return nil, UsageError(err)
	}
	config, err := kring.ClusterConfig(append(options, kring.Brokers(s.Brokers...), kring.ClientID(harnessClientID))...)
	if err != nil {
		return nil, UsageError(err)
	}
	config.SetupTimeout = harnessSetup
	return &Access{Brokers: s.Brokers, config: config}, nil
}

// harnessSetup is how long one broker may take to be connected.
const harnessSetup = 5 * time.Second

// dial connects to the first broker of the bootstrap list that answers.
func (a *Access) dial(ctx context.Context) (*kafkaConn, error) { return a.dialAny(ctx, a.Brokers...) }

// DialContext connects to a broker, with TLS and login done: the dialer of a
// client of another library, for a cluster that wants them. The network is TCP.
func (a *Access) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	link, err := cluster.Connect(ctx, a.config, address)
	if err != nil {
		return nil, err
	}
	return link.Detach()
}

// dialAny connects to the first of the addresses that answers.
func (a *Access) dialAny(ctx context.Context, addresses ...string) (*kafkaConn, error) {
	var faults []string
	for _, address := range addresses {
		link, err := cluster.Connect(ctx, a.config, address)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			faults = append(faults, oneLine(fmt.Sprintf("%s: %v", address, err)))
			continue
		}
		return newKafkaConn(link, address)
	}
	return nil, unreachable("no broker answers: " + strings.Join(faults, "; "))
}
