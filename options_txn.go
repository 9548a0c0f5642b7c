package kring

import (
	"math"
	"time"
	"unicode/utf8"
)

// TransactionalID makes the producer transactional: records are sent within
// transactions, between BeginTransaction and CommitTransaction or
// AbortTransaction, and InitTransactions comes before the first. Of all
// producers with the same id only the one that was initialised last may go on;
// the others get ErrFenced. So give every instance that may run at the same time
// an id of its own, and let the successor of an instance have the same id
// again. It needs idempotence, acks=all and retries; New refuses the id without
// them. The default is none, and it must not be empty. Java: transactional.id.
func TransactionalID(id string) Option {
	return option(func(c *config) {
		c.transactionalID = id
		c.give(setTransactionalID, "TransactionalID(%q)", id)
	})
}

// TransactionTimeout is how long a transaction may last, from its first record
// to its commit, before the coordinator aborts it by itself. Until then the
// consumers that read committed records only wait for it. The brokers have a
// limit of their own, transaction.max.timeout.ms, by default 15 minutes, and
// InitTransactions fails if it is exceeded. The default is 1 minute, at least
// 1 ms. Java: transaction.timeout.ms.
func TransactionTimeout(d time.Duration) Option {
	return option(func(c *config) {
		c.transactionTimeout = d
		c.give(setTransactionTimeout, "TransactionTimeout(%v)", d)
	})
}

// transactionProperties are the properties of the options above.
func transactionProperties() []property {
	return []property{
		{setTransactionalID.String(), func(c *config, p property, value string) {
			c.transactionalID = value
			c.give(setTransactionalID, "%s=%s", p.name, value)
		}},
		timeProperty(setTransactionTimeout, func(c *config) *time.Duration { return &c.transactionTimeout }),
	}
}

// transactional says that the caller wants transactions.
func (c *config) transactional() bool { return c.given[setTransactionalID] != "" }

// checkTransactions holds the two settings against their limits, and against
// what transactions need. A default that would give way elsewhere is no excuse
// here: without idempotence there are no transactions.
func (c *config) checkTransactions() {
	switch {
	case c.transactionTimeout < time.Millisecond:
		c.wrong(setTransactionTimeout, "must be at least 1ms")
	case c.transactionTimeout > longestTime:
		c.wrong(setTransactionTimeout, "must be at most %v", longestTime)
	}
	if !c.transactional() {
		return
	}
	if c.transactionalID == "" || len(c.transactionalID) > math.MaxInt16 || !utf8.ValidString(c.transactionalID) {
		c.wrong(setTransactionalID, "must be UTF-8, not empty, and at most %d bytes long", math.MaxInt16)
	}
	id := clip(c.words(setTransactionalID))
	if !c.idempotence {
		c.problem("%s contradicts %s: transactions need idempotence", c.words(setIdempotence), id)
	}
	if c.sound(setAcks) && Acks(c.acks) != AcksAll {
		c.problem("%s contradicts %s: transactions need acks=all", c.words(setAcks), id)
	}
	if c.sound(setRetries) && c.retries == 0 {
		c.problem("%s contradicts %s: transactions need retries", c.words(setRetries), id)
	}
}
