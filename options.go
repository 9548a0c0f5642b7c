package kring

import (
	"log/slog"
	"strings"
	"time"
)

// Option changes one default of a producer. Options are applied in the order in
// which New gets them, the last one wins, and New checks them together: an
// Option itself never fails or panics.
type Option interface{ apply(*config) }

type option func(*config)

func (o option) apply(c *config) { o(c) }

// Brokers names the brokers to start from, each as host:port; one argument may
// also hold several, separated by commas. They only serve to find the cluster:
// which brokers there are is asked for. Name at least two or three, since the
// producer can not start, or start again, while all of them are down. There is
// no default. Java: bootstrap.servers.
func Brokers(addresses ...string) Option {
	return option(func(c *config) {
		c.brokers = nil
		for _, list := range addresses {
			for address := range strings.SplitSeq(list, ",") {
				c.brokers = append(c.brokers, strings.TrimSpace(address))
			}
		}
		c.give(setBrokers, "Brokers")
	})
}

// ClientID is the name under which brokers log this client and apply its
// quotas. The default is empty; unlike Java, no number is made up. It may be
// 32767 bytes long. Java: client.id.
func ClientID(id string) Option {
	return option(func(c *config) {
		c.clientID = id
		c.give(setClientID, "ClientID(%q)", id)
	})
}

// RequireAcks says when a record counts as written. With AcksAll, the default,
// it survives as long as one replica in sync does. AcksLeader answers sooner,
// and loses what the leader acknowledged just before it died. With AcksNone
// nothing is known: a delivery only says that the record was handed to the
// network, its offset is -1, and nothing is retried after that.
//
// Anything but AcksAll turns idempotence off, unless EnableIdempotence was
// given: then New refuses the pair. Java: acks.
func RequireAcks(acks Acks) Option {
	return option(func(c *config) {
		c.acks = int16(acks)
		c.give(setAcks, "RequireAcks(%s)", acks)
	})
}

// EnableIdempotence insists on the default: brokers recognise a batch that they
// already have, so no retry stores a record twice or out of order. As a default
// it gives way, with a line in the log, to RequireAcks and Retries(0); given
// explicitly, it makes New refuse them. It costs one request at the start, and
// the right IdempotentWrite on clusters older than 2.8. Java:
// enable.idempotence=true.
func EnableIdempotence() Option {
	return option(func(c *config) {
		c.idempotence = true
		c.give(setIdempotence, "EnableIdempotence()")
	})
}

// DisableIdempotence does without producer ids and sequence numbers. A retry
// can then store records twice, and with more than one request in flight it can
// reorder them. It permits a MaxInFlight above 5. Java:
// enable.idempotence=false.
func DisableIdempotence() Option {
	return option(func(c *config) {
		c.idempotence = false
		c.give(setIdempotence, "DisableIdempotence()")
	})
}

// Retries is how often a batch is sent again after an error that may pass. The
// default is 2147483647: in practice DeliveryTimeout ends the attempts, and it
// should. Retries(0) turns idempotence off as RequireAcks does. Java: retries.
func Retries(n int) Option {
	return option(func(c *config) {
		c.retries = n
		c.give(setRetries, "Retries(%d)", n)
	})
}

// MaxInFlight is how many requests may await their answer on one connection.
// The default, 5, is also the most with idempotence; without it the limit is
// 64. It is a ceiling: how many are really under way follows how fast the
// broker answers. 1 keeps the order even without idempotence, at the price of
// one network round trip per request. Java:
// max.in.flight.requests.per.connection.
func MaxInFlight(n int) Option {
	return option(func(c *config) {
		c.maxInFlight = n
		c.give(setMaxInFlight, "MaxInFlight(%d)", n)
	})
}

// Linger lets a batch wait up to d for more records before it is sent. A longer
// linger trades latency for fewer, larger requests. The default is 5 ms; zero
// sends as soon as the broker's gate admits a request. A full batch, a Flush,
// and a full buffer never wait. DeliveryTimeout must have room for it. Java:
// linger.ms.
func Linger(d time.Duration) Option {
	return liveOption(func(c *config) {
		c.linger = d
		c.give(setLinger, "Linger(%v)", d)
	})
}

// BatchSize is how many bytes of records of one partition are sent together. A
// larger batch costs brokers and client less per record; a smaller one wastes
// less memory where many partitions get few records, since every open batch
// takes that much of BufferMemory. A larger record makes a batch of its own.
// The default is 16384, zero sends every record by itself, and the limit is
// 2 MiB. Java: batch.size.
func BatchSize(bytes int) Option {
	return liveOption(func(c *config) {
		c.batchSize = bytes
		c.give(setBatchSize, "BatchSize(%d)", bytes)
	})
}

// BufferMemory bounds the memory of all records that were accepted and not yet
// acknowledged. When it is used up, Produce waits up to MaxBlock, TryProduce
// returns ErrBufferFull, and no batch lingers any more. The default is 32 MiB.
// It is allocated by New, whole, and must hold at least one batch. Java:
// buffer.memory.
func BufferMemory(bytes int64) Option {
	return option(func(c *config) {
		c.bufferMemory = bytes
		c.give(setBufferMemory, "BufferMemory(%d)", bytes)
	})
}

// MaxRequestSize bounds a request, and so a record: a larger record is refused
// with ErrRecordTooLarge. Brokers have a limit of their own, message.max.bytes,
// for a batch. The default is 1 MiB. Java: max.request.size.
func MaxRequestSize(bytes int) Option {
	return option(func(c *config) {
		c.maxRequestSize = bytes
		c.give(setMaxRequestSize, "MaxRequestSize(%d)", bytes)
	})
}

// MaxBlock bounds how long one Produce may wait, for the topic's metadata and
// for buffer memory together, before it returns ErrMaxBlock. The context given
// to Produce may end the wait earlier. The default is one minute; zero never
// waits. Java: max.block.ms.
func MaxBlock(d time.Duration) Option {
	return option(func(c *config) {
		c.maxBlock = d
		c.give(setMaxBlock, "MaxBlock(%v)", d)
	})
}

// DeliveryTimeout bounds the time from the opening of a record's batch to its
// delivery or failure, with linger, waiting, and all retries. A longer one
// rides out longer failures; the records wait in BufferMemory meanwhile. It
// must be at least Linger plus RequestTimeout: New refuses a shorter one, and
// raises the default, 2 minutes, with a line in the log. At most 24 days.
// Java: delivery.timeout.ms.
func DeliveryTimeout(d time.Duration) Option {
	return option(func(c *config) {
		c.deliveryTimeout = d
		c.give(setDeliveryTimeout, "DeliveryTimeout(%v)", d)
	})
}

// RequestTimeout is how long a request may stay unanswered. After that the
// connection is closed, and what was under way on it is sent again. It is also
// what a broker may spend waiting for its followers, so it should exceed their
// replica.lag.time.max.ms. The default is 30 seconds, at least 1 ms. Java:
// request.timeout.ms.
func RequestTimeout(d time.Duration) Option {
	return option(func(c *config) {
		c.requestTimeout = d
		c.give(setRequestTimeout, "RequestTimeout(%v)", d)
	})
}

// RetryBackoff is the pause before a failed batch or metadata request is tried
// again: first the shorter, then doubling up to the longer, each 20 % more or
// less so that clients do not come back together. The default is 100 ms to 1 s.
// Java: retry.backoff.ms, retry.backoff.max.ms.
func RetryBackoff(first, longest time.Duration) Option {
	return option(func(c *config) {
		c.retryBackoff, c.retryBackoffMax = first, longest
		c.givePair("RetryBackoff", setRetryBackoff, setRetryBackoffMax, first, longest)
	})
}

// OnDelivery receives the delivery of every record that was produced without a
// callback of its own. With the record's Tag it serves a whole program without
// one closure per record. See Callback for what it may do. The default is none.
func OnDelivery(cb Callback) Option {
	return option(func(c *config) { c.onDelivery = cb })
}

// InlineDelivery runs callbacks where the broker's answer is read, instead of on
// a goroutine of kring that is free for them: no wake-up on the way of any answer. The
// price is a duty. A callback then runs on kring's own goroutines or inside a
// Produce, TryProduce or Flush of any goroutine, one call at a time per broker
// but several at once with several brokers, and while it runs nothing is sent
// to its broker. So it must return at once: no lock that is ever held during a
// Produce, no waiting, no call of this producer but TryProduce, no
// runtime.Goexit. Good for counting and for handing over to a channel with
// room. The default is the completion goroutine. Properties:
// kring.delivery.inline=true; Java has nothing like it.
func InlineDelivery() Option {
	return option(func(c *config) { c.inlineDelivery = true })
}

// ExactTimestamps reads the clock for every record that comes without a
// timestamp. Otherwise such a record gets a coarse clock that is at most about
// 10 ms old, because reading the clock costs more than the rest of Produce. The
// order of timestamps within a goroutine is the same either way. There is no
// such property in Java, which always reads the clock.
func ExactTimestamps() Option {
	return option(func(c *config) { c.exactTimestamps = true })
}

// Logger receives what an operator should know: connections that fail,
// metadata errors, settings that gave way. Neither records nor secrets are ever
// logged. The default logs nothing, and nil means the default.
func Logger(l *slog.Logger) Option {
	return option(func(c *config) {
		if l == nil {
			l = slog.New(slog.DiscardHandler)
		}
		c.logger = l
	})
}

// givePair remembers how a pair of times was written, and that the first must
// not be the longer one.
func (c *config) givePair(name string, a, b setting, first, longest time.Duration) {
	c.give(a, "%s(%v, %v)", name, first, longest)
	c.given[b] = c.given[a]
	if first > longest {
		c.problem("%s: the first must not be longer than the second", c.given[a])
	}
}
