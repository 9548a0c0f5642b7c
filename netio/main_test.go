package netio

import (
	"net"
	"os"
	"testing"
	"time"
)

// echoEnv makes the test binary the far end of a benchmark's connection: a
// process of its own, so that the measured process's scheduler has no part in
// the peer's latency.
const (
	echoEnv    = "KRING_NETIO_ECHO"         // the address to dial
	serviceEnv = "KRING_NETIO_ECHO_SERVICE" // how long it thinks about a request
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(echoEnv); addr != "" {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			os.Exit(1)
		}
		service, _ := time.ParseDuration(os.Getenv(serviceEnv)) // none if empty
		serve(conn, func() { think(service) })
		os.Exit(0)
	}
	os.Exit(m.Run())
}
