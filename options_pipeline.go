package kring

import (
	"maps"
	"strings"
)

// pipeline is the part of the configuration that is user code on the way of a
// record or beside it, and where records without a key prefer to go.
type pipeline struct {
	interceptors []Interceptor
	hooks        []Hook
	partitioner  Partitioner            // nil: the built-in one
	byTopic      map[string]Partitioner // wins over partitioner; nil: the built-in one; never written to
	rackAware    bool
	rack         string
}

// Interceptors makes every record pass through the interceptors, in this order,
// before its partition is chosen, and every outcome before its callback runs.
// Given again, it adds to the list. The default is none, which costs nothing.
// Close closes those that are an io.Closer. Java: interceptor.classes, whose
// classes can not run here.
func Interceptors(list ...Interceptor) Option {
	return option(func(c *config) {
		for i, in := range list {
			if in == nil {
				c.problem("Interceptors: argument %d of %d is nil", i+1, len(list))
				continue
			}
			// A new array each time: options are reused, configs are not.
			old := c.pipeline.interceptors
			c.pipeline.interceptors = append(old[:len(old):len(old)], in)
		}
	})
}

// PartitionBy gives the choice of every record's partition to by, with a key or
// without; only records that name their partition with On do not ask it. The
// default, and nil, is the built-in partitioner. Partitioning by load or rack
// and IgnoreKeys then have no effect. Java: partitioner.class.
func PartitionBy(by Partitioner) Option {
	return option(func(c *config) { c.pipeline.partitioner = by })
}

// PartitionTopicBy is PartitionBy for the records of one topic, and wins over
// it; nil is the built-in partitioner.
func PartitionTopicBy(topic string, by Partitioner) Option {
	return option(func(c *config) {
		if err := checkTopic(topic); err != nil {
			c.problem("PartitionTopicBy: %s", strings.TrimPrefix(err.Error(), "kring: "))
			return
		}
		all := maps.Clone(c.pipeline.byTopic)
		if all == nil {
			all = make(map[string]Partitioner, 1)
		}
		all[topic] = by
		c.pipeline.byTopic = all
	})
}

// RackAware sends records without a key only to partitions whose leader stands
// in the rack that ClientRack names, which spares the traffic between
// availability zones. Where no leader does, they go to all partitions. Records
// with a key stay where their key leads. It uses the partitions of a topic
// unevenly as soon as racks have different numbers of producers. The default is
// off (KIP-1123). Java: partitioner.rack.aware=true.
func RackAware() Option {
	return option(func(c *config) { c.pipeline.rackAware = true })
}

// ClientRack says where this process runs, in the words of the brokers'
// broker.rack. Only RackAware makes use of it. The default is none. Java:
// client.rack.
func ClientRack(rack string) Option {
	return option(func(c *config) { c.pipeline.rack = rack })
}

// checkPipeline holds the options of this file against each other.
func (c *config) checkPipeline() {
	if c.pipeline.rackAware && strings.TrimSpace(c.pipeline.rack) == "" {
		c.problem("RackAware() (partitioner.rack.aware) needs ClientRack (client.rack): " +
			"nothing else says which rack this process is in")
	}
}

// The properties of this file.
const (
	rackAwareProperty   = "partitioner.rack.aware"
	clientRackProperty  = "client.rack"
	partitionerProperty = "partitioner.class"
	interceptorProperty = "interceptor.classes"
)

// roundRobinClass is the one class of Java's that RoundRobin stands for.
const roundRobinClass = "org.apache.kafka.clients.producer.RoundRobinPartitioner"

func pipelineProperties() []property {
	return []property{
		flagProperty(rackAwareProperty, func(c *config) *bool { return &c.pipeline.rackAware }),
		{clientRackProperty, func(c *config, _ property, value string) { c.pipeline.rack = value }},
		{partitionerProperty, func(c *config, p property, value string) {
			switch value {
			case "":
			case roundRobinClass:
				c.pipeline.partitioner = RoundRobin()
			default:
				c.problem("%s: Java's classes can not run here; use the option PartitionBy with a Go implementation, "+
					"or %s, which RoundRobin stands for", p.name, roundRobinClass)
			}
		}},
		{interceptorProperty, func(c *config, p property, value string) {
			if value != "" {
				c.problem("%s: Java's classes can not run here; use the option Interceptors with a Go implementation", p.name)
			}
		}},
	}
}
