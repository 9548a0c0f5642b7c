package senders

import (
	"fmt"
	"time"

	"github.com/kring-go/kring"

	"github.com/kring-go/kring/tests/ledger"
)

// Options are what a test asks of a producer; the zero value is the client's
// own default: idempotent with acks=all.
type Options struct {
	Acks           string         // "", "all", "1" or "0"; the last two without idempotence
	MetadataMaxAge time.Duration  // 0: the client's default
	Linger         time.Duration  // negative: none; 0: the client's default
	Compression    string         // Java's word; "": none. kring only
	Dial           kring.DialFunc // nil: the client's own. kring only
	Plain          bool           // no idempotence with acks=all either. kring only
}

// Names lists the clients that Open knows.
func Names() []string { return []string{"kring", "franz-go"} }

// Open makes a producer for one topic.
func Open(client string, bootstrap []string, topic string, o Options, done func(ledger.Completion)) (ledger.Sender, error) {
	switch o.Acks {
	case "", "all", "1", "0":
	default:
		return nil, fmt.Errorf("senders: acks %q is not possible", o.Acks)
	}
	switch client {
	case "kring":
		return openKring(bootstrap, topic, o, done)
	case "franz-go":
		return openFranz(bootstrap, topic, o, done)
	}
	return nil, fmt.Errorf("senders: no client %q, only %v", client, Names())
}
