package rig

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	startPatience = 90 * time.Second
	stopPatience  = 20 * time.Second
)

// Up formats and starts n nodes and waits until each of them sees all others.
// What a former cluster left is removed. A cluster of the same size that runs
// already is taken as it is.
func (r *Rig) Up(ctx context.Context, n int) error {
	if n != 1 && n != maxNodes {
		return fmt.Errorf("kafka: %d nodes are not possible: 1 or %d", n, maxNodes)
	}
	if err := r.Jars(ctx); err != nil {
		return err
	}
	if alive := r.Running(); len(alive) > 0 {
		if len(alive) == n && r.Nodes() == n && r.UpVersion() == r.Version() {
			return r.WaitReady(ctx)
		}
		return fmt.Errorf("kafka: nodes %v of a cluster of %d with %s are running; stop them first (make kafka-down)",
			alive, r.Nodes(), r.UpVersion())
	}
	if err := r.portsFree(n); err != nil {
		return err
	}
	if err := r.Clean(); err != nil {
		return err
	}
	if err := r.prepare(ctx, n); err != nil {
		return err
	}
	for node := 1; node <= n; node++ {
		if err := r.launch(node, n); err != nil {
			return errors.Join(err, r.Down())
		}
	}
	if err := r.WaitReady(ctx); err != nil {
		return errors.Join(err, r.Down())
	}
	return nil
}

func (r *Rig) prepare(ctx context.Context, n int) error {
	if err := r.makeDir(); err != nil {
		return err
	}
	id := clusterID()
	for node := 1; node <= n; node++ {
		if err := r.writeProperties(node, n); err != nil {
			return err
		}
		if err := r.format(ctx, node, id); err != nil {
			return err
		}
	}
	return nil
}

// clusterID is a random UUID the way Kafka writes it.
func clusterID() string {
	var id [16]byte
	rand.Read(id[:])
	id[0] &= 0x7f // never a leading '-', which StorageTool takes for a flag
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// WaitReady waits until every node lists every node as a live broker. A node
// that dies meanwhile ends the wait with the end of its log.
func (r *Rig) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	n := r.Nodes()
	for node := 1; node <= n; node++ {
		for !r.sees(ctx, node, n) {
			if _, alive := r.pid(node); !alive {
				return fmt.Errorf("kafka: node %d died at the start; the end of %s:\n%s",
					node, r.logFile(node), lastLines(r.logFile(node), 8))
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("kafka: node %d was not ready in time (%w); see %s", node, ctx.Err(), r.logFile(node))
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

// sees asks one node for its brokers.
func (r *Rig) sees(ctx context.Context, node, n int) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(r.address(node)))
	if err != nil {
		return false
	}
	defer client.Close()
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{}
	answer, err := client.SeedBrokers()[0].Request(ctx, request)
	if err != nil {
		return false
	}
	metadata, ok := answer.(*kmsg.MetadataResponse)
	return ok && len(metadata.Brokers) == n
}

// Down stops every node, politely at first, and waits for its end.
func (r *Rig) Down() error {
	alive := r.Running()
	errs := make([]error, len(alive))
	var wg sync.WaitGroup
	for i, node := range alive {
		wg.Go(func() {
			if r.signal(node, syscall.SIGTERM, stopPatience) != nil {
				errs[i] = r.Kill(node)
			}
		})
	}
	wg.Wait()
	for _, node := range alive {
		if _, still := r.pid(node); !still {
			errs = append(errs, os.Remove(r.pidFile(node)))
		}
	}
	return errors.Join(errs...)
}

// Status is one line per node.
func (r *Rig) Status() []string {
	var lines []string
	for node := 1; node <= r.Nodes(); node++ {
		state := "stopped"
		if pid, alive := r.pid(node); alive {
			state = fmt.Sprintf("running, pid %d", pid)
		}
		lines = append(lines, fmt.Sprintf("node %d  %s  %s", node, r.address(node), state))
	}
	return lines
}

// segments returns the log files of a topic on one node.
func (r *Rig) segments(node int, topic string) []string {
	data := filepath.Join(r.nodeDir(node), "data")
	entries, _ := os.ReadDir(data)
	var all []string
	for _, e := range entries {
		// "t-1" is partition 1 of topic t, "t-x-1" one of topic t-x.
		partition, ok := strings.CutPrefix(e.Name(), topic+"-")
		if _, err := strconv.Atoi(partition); !ok || err != nil {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(data, e.Name(), "*.log"))
		all = append(all, files...)
	}
	return all
}
