package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/kring-go/kring/bench"
)

// Java's defaults, which every client gets where the plan names nothing.
const (
	defaultBatch    = 16384
	defaultBuffer   = 32 << 20
	defaultInFlight = 5
)

// Limits are the sizes of a plan: BatchBytes of a batch, BufferBytes of
// everything that waits, and InFlight requests of a connection.
type Limits struct {
	BatchBytes  int
	BufferBytes int64
	InFlight    int
}

// LimitsOf fills in what the plan leaves to the client, so that all clients get
// the same.
func LimitsOf(plan *bench.Config) Limits {
	l := Limits{plan.Settings.BatchSize, plan.Settings.BufferBytes, plan.Settings.MaxInFlight}
	if l.BatchBytes == 0 {
		l.BatchBytes = defaultBatch
	}
	if l.BufferBytes == 0 {
		l.BufferBytes = defaultBuffer
	}
	if l.InFlight == 0 {
		l.InFlight = defaultInFlight
	}
	return l
}

// recordRoom is more than a record needs beside its value: key, lengths and the
// header of a batch that it has to itself.
const recordRoom = 128

// LargestRecord is what a limit must let pass: Java gives a record that is
// larger than a batch one of its own, where others refuse it.
func LargestRecord(plan *bench.Config) int { return plan.Sizes.Max() + recordRoom }

// Uncompressed refuses, as not available, plans that have batches compressed:
// for bounds that are no clients, and do not compress.
func Uncompressed(plan *bench.Config) error {
	if codec := plan.Settings.Codec(); codec != bench.CompressionNone {
		return bench.SkippedError(fmt.Errorf("skipped: it does not compress, and the plan has %s", codec))
	}
	return nil
}

// ClientID is the plan's, or kbench.
func ClientID(plan *bench.Config) string {
	if plan.Settings.ClientID != "" {
		return plan.Settings.ClientID
	}
	return "kbench"
}

// reachPatience bounds the wait for each broker.
const reachPatience = 5 * time.Second

// reach returns an error if no broker of the list takes a connection. Clients
// that connect when they first need to would try for minutes.
func reach(ctx context.Context, brokers []string) error {
	var faults []error
	dialer := net.Dialer{Timeout: reachPatience}
	for _, broker := range brokers {
		conn, err := dialer.DialContext(ctx, "tcp", broker)
		if err == nil {
			conn.Close()
			return nil
		}
		faults = append(faults, err)
	}
	if len(faults) == 0 {
		return nil // null needs no broker
	}
	return fmt.Errorf("no broker answers: %w", errors.Join(faults...))
}
