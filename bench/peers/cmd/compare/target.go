package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// startBroker starts the discard broker as a process of its own, so that no
// client pays for it. stop ends it.
func startBroker(bin string, o *options) (stop func(), err error) {
	cmd := exec.Command(filepath.Join(bin, "kbench"), "broker", "--addr", "127.0.0.1:0",
		"--partitions", fmt.Sprint(o.partitions), "--verify", o.check)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt) // It may be gone already,
		_ = cmd.Wait()                       // and how it ended does not matter.
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return nil, fmt.Errorf("the broker said nothing: %w", err)
	}
	o.brokers, o.brokerPID = strings.Split(strings.TrimSpace(line), ","), cmd.Process.Pid
	return stop, nil
}

// createTopic makes a topic of its own on a cluster; remove deletes it.
func createTopic(ctx context.Context, o *options) (remove func(), err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(o.brokers...))
	if err != nil {
		return nil, err
	}
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = o.topic, int32(o.partitions), int16(o.replication)
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, topic), 30_000
	resp, err := req.RequestWith(ctx, client)
	if err == nil && len(resp.Topics) == 1 {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		client.Close()
		return nil, fmt.Errorf("creating the topic: %w", err)
	}
	return func() {
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		req := kmsg.NewPtrDeleteTopicsRequest()
		item := kmsg.NewDeleteTopicsRequestTopic()
		item.Topic = &o.topic
		req.Topics, req.TopicNames, req.TimeoutMillis = append(req.Topics, item), []string{o.topic}, 30_000
		if _, err := req.RequestWith(ctx, client); err != nil {
			fmt.Fprintf(os.Stderr, "compare: topic %s was not deleted: %v\n", o.topic, err)
		}
	}, nil
}
