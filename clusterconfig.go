package kring

import "github.com/kring-go/kring/cluster"

// ClusterConfig is how a producer with these options reaches its cluster:
// addresses, dialer, TLS, login, timeouts. It is for programs that ask the
// cluster for more than a producer does, such as to create a topic, over
// cluster.Connect or cluster.NewClient, and have one set of options, or of
// Java's properties, for both. The options are checked as New checks them, and
// the error is New's; nothing is connected.
func ClusterConfig(opts ...Option) (cluster.Config, error) {
	c, err := newConfig(opts)
	if err != nil {
		return cluster.Config{}, err
	}
	return c.cluster(), nil
}
