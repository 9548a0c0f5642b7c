package readback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/kring-go/kring/tests/kafka/rig"
	"github.com/kring-go/kring/tests/ledger"
)

// JVM reads with Java's KafkaConsumer, in a process of its own.
func JVM(ctx context.Context, r *rig.Rig, bootstrap []string, topic string, add func(*ledger.Entry)) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	java, err := r.Program(ctx, "Readback", "--bootstrap", strings.Join(bootstrap, ","), "--topic", topic)
	if err != nil {
		return 0, err
	}
	var stderr bytes.Buffer
	java.Stderr = &stderr
	out, err := java.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("readback: %w", err)
	}
	if err := java.Start(); err != nil {
		return 0, fmt.Errorf("readback: %w", err)
	}
	n, readErr := ledger.ReadStream(out, add)
	if readErr != nil {
		cancel()
	}
	if err := java.Wait(); err != nil || readErr != nil {
		return n, fmt.Errorf("readback: %w: %s", errors.Join(readErr, err), bytes.TrimSpace(stderr.Bytes()))
	}
	return n, nil
}
