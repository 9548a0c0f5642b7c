package bench

import (
	"errors"
	"fmt"
	"strings"
)

// Validate checks the plan as Execute does before it starts anything. Brokers
// are not asked.
func (s *Session) Validate() error {
	if _, err := s.check(); err != nil {
		return UsageError(err)
	}
	return nil
}

// maxNodes is the embedded broker's limit.
const maxNodes = 1024

// checkTarget refuses what no broker can be told to be.
func (s *Session) checkTarget() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	e := &s.Embedded
	want(e.Nodes >= 0 && e.Nodes <= maxNodes, "--embedded-nodes is %d, want 1 to %d", e.Nodes, maxNodes)
	want(e.Delay >= 0, "--embedded-delay is %v, want 0 or more", e.Delay)
	want(e.Service >= 0, "--embedded-service is %v, want 0 or more", e.Service)
	want(e.Throughput >= 0, "--embedded-throughput is %d, want 0 or more", e.Throughput)
	want(!s.Config.several() || len(s.Worker)+len(s.ProcCommand) > 0, "--procs %d: no program is known to start", s.Config.Procs)
	want(!s.Config.several() || !s.Config.Shard.on(), "--procs contradicts --shard: give each machine a shard, or one machine processes")
	want(!s.Config.several() || s.Intervals == nil, "--procs has no intervals of all processes together: leave out --format csv")
	want(s.Replication >= 0, "--replication is %d, want 1 or more", s.Replication)
	want(!s.Config.Settings.Secured() || len(s.Config.Settings.Brokers) > 0,
		"security.protocol=%s: the embedded broker has neither TLS nor a login; name a cluster (--brokers)", s.Config.Settings.Props["security.protocol"])
	if len(s.Config.Faults) > 0 {
		if s.Worker != nil || !s.Library.Dials {
			errs = append(errs, errNoDialer)
		}
		want(!s.Config.several(), "--fault contradicts --procs: the connections of other processes would not be disturbed")
		for i := range s.Config.Faults {
			f := &s.Config.Faults[i]
			nodes := int32(max(e.Nodes, 1))
			want(len(s.Config.Settings.Brokers) > 0 || f.Node == AllNodes || f.Node >= 1 && f.Node <= nodes,
				"--fault %s: the embedded broker's nodes are 1 to %d", f.plan(), nodes)
		}
	}
	return errors.Join(errs...)
}

// checkTopicName applies Kafka's rule before the first record does; "" is a topic
// of the run's own.
func checkTopicName(topic string) error {
	const legal = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if topic == "." || topic == ".." || len(topic) > 249 || strings.ContainsFunc(topic, func(r rune) bool { return !strings.ContainsRune(legal, r) }) {
		return fmt.Errorf("--topic is %q, want up to 249 of a-z, A-Z, 0-9, \".\", \"_\" and \"-\", and neither \".\" nor \"..\" alone", topic)
	}
	return nil
}
