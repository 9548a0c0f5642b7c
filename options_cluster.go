package kring

import (
	"net"
	"time"
)

// ReconnectBackoff is the pause before a broker that could not be reached is
// tried again: first the shorter, then doubling up to the longer, each 20 %
// more or less. It starts anew once the broker has answered. The default is
// 50 ms to 1 s. Java: reconnect.backoff.ms, reconnect.backoff.max.ms.
func ReconnectBackoff(first, longest time.Duration) Option {
	return option(func(c *config) {
		c.reconnectBackoff, c.reconnectBackoffMax = first, longest
		c.givePair("ReconnectBackoff", setReconnectBackoff, setReconnectBackoffMax, first, longest)
	})
}

// ConnectionSetupTimeout is how long a connection may take to be established:
// first the shorter, then doubling up to the longer while attempts fail. The
// default is 10 s to 30 s, and at least 1 ms. Java:
// socket.connection.setup.timeout.ms, socket.connection.setup.timeout.max.ms.
func ConnectionSetupTimeout(first, longest time.Duration) Option {
	return option(func(c *config) {
		c.connSetupTimeout, c.connSetupTimeoutMax = first, longest
		c.givePair("ConnectionSetupTimeout", setConnSetupTimeout, setConnSetupTimeoutMax, first, longest)
	})
}

// ConnectionsMaxIdle closes a connection over which nothing has gone for so
// long. The default is 9 minutes, a little less than what brokers allow, so
// that the client and not the broker closes first. A negative one keeps
// connections for ever; zero is refused. Java: connections.max.idle.ms.
func ConnectionsMaxIdle(d time.Duration) Option {
	return option(func(c *config) {
		c.connMaxIdle = d
		c.give(setConnMaxIdle, "ConnectionsMaxIdle(%v)", d)
	})
}

// SendBuffer is the size of a connection's send buffer in the kernel. Links of
// high bandwidth and latency need a larger one. The default is 131072, and -1
// leaves it to the system. Java: send.buffer.bytes.
func SendBuffer(bytes int) Option {
	return option(func(c *config) {
		c.sendBuffer = bytes
		c.give(setSendBuffer, "SendBuffer(%d)", bytes)
	})
}

// ReceiveBuffer is the size of a connection's receive buffer in the kernel. A
// producer receives little. The default is 32768, and -1 leaves it to the
// system. Java: receive.buffer.bytes.
func ReceiveBuffer(bytes int) Option {
	return option(func(c *config) {
		c.receiveBuffer = bytes
		c.give(setReceiveBuffer, "ReceiveBuffer(%d)", bytes)
	})
}

// MetadataMaxAge is how old the view of the cluster may become before it is
// refreshed although nothing went wrong; new partitions are noticed that late.
// The default is 5 minutes. Errors refresh it at once, and RetryBackoff keeps
// refreshes apart even where this is zero. Java: metadata.max.age.ms.
func MetadataMaxAge(d time.Duration) Option {
	return option(func(c *config) {
		c.metadataMaxAge = d
		c.give(setMetadataMaxAge, "MetadataMaxAge(%v)", d)
	})
}

// MetadataMaxIdle is how long a topic that nobody produces to stays in the view
// of the cluster. Producing to it later waits for its metadata again. The
// default is 5 minutes, at least 5 seconds. Java: metadata.max.idle.ms.
func MetadataMaxIdle(d time.Duration) Option {
	return option(func(c *config) {
		c.metadataMaxIdle = d
		c.give(setMetadataMaxIdle, "MetadataMaxIdle(%v)", d)
	})
}

// RebootstrapAfter starts again from Brokers when no metadata could be had for
// so long, or when no known broker can be reached: the cluster may have moved
// altogether. The default is 5 minutes. Java:
// metadata.recovery.rebootstrap.trigger.ms, metadata.recovery.strategy=rebootstrap.
func RebootstrapAfter(d time.Duration) Option {
	return option(func(c *config) {
		c.rebootstrap, c.rebootstrapTrigger = true, d
		c.give(setRebootstrap, "RebootstrapAfter(%v)", d)
		c.give(setRebootstrapTrigger, "RebootstrapAfter(%v)", d)
	})
}

// DisableRebootstrap never goes back to Brokers once the cluster is known. Java:
// metadata.recovery.strategy=none.
func DisableRebootstrap() Option {
	return option(func(c *config) {
		c.rebootstrap = false
		c.give(setRebootstrap, "DisableRebootstrap()")
	})
}

// AdaptivePartitioning sends fewer of the records without a key to partitions
// where more batches wait, so that a slow broker gets less. It is the default.
// Java: partitioner.adaptive.partitioning.enable=true.
func AdaptivePartitioning() Option {
	return option(func(c *config) {
		c.adaptive = true
		c.give(setAdaptive, "AdaptivePartitioning()")
	})
}

// UniformPartitioning sends the same number of bytes without a key to every
// partition, however slow its broker is; so the slowest one sets the pace. Java:
// partitioner.adaptive.partitioning.enable=false.
func UniformPartitioning() Option {
	return option(func(c *config) {
		c.adaptive = false
		c.give(setAdaptive, "UniformPartitioning()")
	})
}

// PartitionAvailabilityTimeout keeps records without a key away from partitions
// whose broker has had batches ready for longer than d and did not take them.
// It needs AdaptivePartitioning. The default, zero, does not. Java:
// partitioner.availability.timeout.ms.
func PartitionAvailabilityTimeout(d time.Duration) Option {
	return option(func(c *config) {
		c.availabilityTimeout = d
		c.give(setAvailabilityTimeout, "PartitionAvailabilityTimeout(%v)", d)
	})
}

// IgnoreKeys partitions records with a key like those without. Records of a key
// then no longer share a partition, and so have no order. The default hashes
// the key as the Java client does. Java: partitioner.ignore.keys=true.
func IgnoreKeys() Option {
	return option(func(c *config) {
		c.ignoreKeys = true
		c.give(setIgnoreKeys, "IgnoreKeys()")
	})
}

// WithDialer opens every connection with dial, for proxies, tests, or sockets
// with options of their own. The default is net.Dialer; nil means the default.
func WithDialer(dial DialFunc) Option {
	return option(func(c *config) {
		if dial == nil {
			dial = (&net.Dialer{}).DialContext
		}
		c.dial = dial
	})
}
