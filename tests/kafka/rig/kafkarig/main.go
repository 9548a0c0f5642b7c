// Command kafkarig starts, breaks and stops Apache Kafka on this machine; see
// package rig.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kring-go/kring/tests/kafka/rig"
)

const usage = `usage: kafkarig COMMAND
  jars                             fetch Apache Kafka's jars
  up [1|3]                         start a new cluster (or KAFKA_NODES), print its bootstrap list
  down                             stop every node
  status                           one line per node
  kill NODE                        kill -9
  start NODE                       start a killed node again
  topic NAME PARTITIONS REPLICAS [CONFIG=VALUE …]
  dump TOPIC                       kafka-dump-log --deep-iteration over every segment
  java CLASS [ARGUMENT …]          run one of Kafka's own tools
  clean                            remove the nodes' data (not the jars)`

var errUsage = errors.New(usage)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	r, err := rig.Open()
	if err != nil {
		return err
	}
	command, args := args[0], args[1:]
	switch {
	case command == "jars" && len(args) == 0:
		return r.Jars(ctx)
	case command == "up" && len(args) <= 1:
		return up(ctx, r, args)
	case command == "down" && len(args) == 0:
		return r.Down()
	case command == "status" && len(args) == 0:
		for _, line := range r.Status() {
			fmt.Println(line)
		}
		return nil
	case (command == "kill" || command == "start") && len(args) == 1:
		return one(r, command, args[0])
	case command == "topic" && len(args) >= 3:
		return topic(ctx, r, args)
	case command == "dump" && len(args) == 1:
		return dump(ctx, r, args[0])
	case command == "java" && len(args) >= 1:
		tool := r.Java(ctx, args...)
		tool.Stdin, tool.Stdout, tool.Stderr = os.Stdin, os.Stdout, os.Stderr
		return tool.Run()
	case command == "clean" && len(args) == 0:
		return r.Clean()
	}
	return errUsage
}

func up(ctx context.Context, r *rig.Rig, args []string) error {
	size := os.Getenv("KAFKA_NODES")
	if len(args) == 1 {
		size = args[0]
	}
	if size == "" {
		size = "1"
	}
	n, err := strconv.Atoi(size)
	if err != nil {
		return fmt.Errorf("kafka: %q is not a number of nodes", size)
	}
	if err := r.Up(ctx, n); err != nil {
		return err
	}
	fmt.Println(strings.Join(r.Bootstrap(), ","))
	return nil
}

func one(r *rig.Rig, command, arg string) error {
	node, err := strconv.Atoi(arg)
	if err != nil {
		return fmt.Errorf("kafka: %q is not the number of a node", arg)
	}
	if command == "kill" {
		return r.Kill(node)
	}
	return r.Start(node)
}

func topic(ctx context.Context, r *rig.Rig, args []string) error {
	partitions, err := strconv.Atoi(args[1])
	if err != nil || partitions < 1 {
		return fmt.Errorf("kafka: %q is not a number of partitions", args[1])
	}
	replicas, err := strconv.Atoi(args[2])
	if err != nil || replicas < 1 {
		return fmt.Errorf("kafka: %q is not a number of replicas", args[2])
	}
	if len(r.Running()) == 0 {
		return errors.New("kafka: no node is running")
	}
	admin, err := rig.NewAdmin(r.Bootstrap())
	if err != nil {
		return err
	}
	defer admin.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return admin.CreateTopic(ctx, args[0], partitions, replicas, args[3:]...)
}

func dump(ctx context.Context, r *rig.Rig, topic string) error {
	dumped, err := r.Dump(ctx, topic)
	if err != nil {
		return err
	}
	for _, d := range dumped {
		fmt.Println(d)
	}
	return nil
}
