package kring

import (
	"errors"
	"fmt"

	"github.com/kring-go/kring/cluster"
)

// ErrWrongCluster is the reason behind ErrMaxBlock and ErrDeliveryTimeout where
// an address leads to another cluster than that which the producer writes to:
// nothing is sent there. The text names the address and both ids.
var ErrWrongCluster = errors.New("kring: a broker belongs to another cluster")

// ClusterID is the id of the cluster that the producer writes to, as
// kafka-cluster.sh cluster-id prints it. No record is ever sent to a broker that
// tells another: its address has passed to another cluster, by a recycled IP or a
// name server that is wrong. The default is the id that the first broker tells.
// That one is given up for another only when every address in Brokers tells the
// other, as after a cluster was built anew; an id that was given here never is.
//
// To compare, each new connection costs one request more, once the id is known.
// Brokers that tell no id are believed. Java compares on the broker's side, from
// Kafka 4.4 on: metadata.cluster.check.enable (KIP-1242), and has no such option.
func ClusterID(id string) Option {
	return option(func(c *config) {
		if id == "" || len(id) > maxClusterID || !printable(id) {
			c.problem("ClusterID(%s): must be 1 to %d bytes of printable ASCII; leave it out to learn the id from the brokers", clip(fmt.Sprintf("%q", id)), maxClusterID)
			return
		}
		c.clusterID = id
	})
}

// DisableClusterCheck writes to whatever cluster the addresses lead to. So does
// DisableRebootstrap where there is no ClusterID: who never goes back to Brokers
// can not learn another id. Java: metadata.cluster.check.enable=false.
func DisableClusterCheck() Option {
	return option(func(c *config) { c.clusterCheck = false })
}

const (
	clusterCheckProperty = "metadata.cluster.check.enable"
	clusterIDProperty    = "kring.cluster.id"

	// maxClusterID is more than any id has: Kafka's are 22 characters.
	maxClusterID = 255
)

func setClusterIDProperty(c *config, p property, value string) {
	if value == "" || len(value) > maxClusterID || !printable(value) {
		p.malformed(c, value, fmt.Sprintf("1 to %d bytes of printable ASCII", maxClusterID))
		return
	}
	c.clusterID = value
}

// checkClusterID finds an id that nobody would compare.
func (c *config) checkClusterID() {
	if c.clusterID != "" && !c.clusterCheck {
		c.problem("ClusterID(%q) contradicts DisableClusterCheck(): the id would not be compared", c.clusterID)
	}
}

// wrongCluster puts ErrWrongCluster around an error that is about it.
func wrongCluster(err error) error {
	if errors.As(err, new(*cluster.WrongClusterError)) && !errors.Is(err, ErrWrongCluster) {
		return fmt.Errorf("%w: %w", ErrWrongCluster, err)
	}
	return err
}
