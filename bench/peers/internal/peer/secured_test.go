package peer

import (
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

// TestPlaintext: a client that is not told about TLS and logins is not available
// where the cluster wants them, and nothing is sent in the clear.
func TestPlaintext(t *testing.T) {
	for protocol, secured := range map[string]bool{"": false, "PLAINTEXT": false, " plaintext ": false, "SSL": true, "sasl_plaintext": true} {
		props := map[string]string{"security.protocol": protocol}
		if strings.HasPrefix(protocol, "sasl") {
			props["sasl.mechanism"] = "SCRAM-SHA-256"
			props["sasl.jaas.config"] = `org.apache.kafka.common.security.scram.ScramLoginModule required username="u" password="p";`
		}
		plan := &bench.Config{Settings: bench.Settings{Brokers: []string{"127.0.0.1:1"}, Props: props}}
		if err := Plaintext(plan); (err != nil) != secured || secured && (bench.ExitCode(nil, false, err) != bench.ExitSkipped || !strings.Contains(err.Error(), protocol)) {
			t.Errorf("%q: %v", protocol, err)
		}
		dial, err := Secured(plan)
		if err != nil || (dial != nil) != secured {
			t.Errorf("%q: a dialer: %t, %v", protocol, dial != nil, err)
		}
	}
}
