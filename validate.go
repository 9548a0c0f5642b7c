package kring

import (
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// validate reports every problem of the configuration at once, each in the
// words that the caller used. A rule about two settings is only checked where
// each is valid by itself, so that one mistake is one line.
func (c *config) validate() error {
	c.checkProtocols()
	c.checkBrokers()
	c.checkEach()
	c.checkTogether()
	c.checkLanes()
	c.checkSecurity()
	c.checkPipeline()
	c.checkTopics()
	c.checkClusterID()
	return errors.Join(c.problems...)
}

// wrong records that a setting's own value is impossible.
func (c *config) wrong(s setting, format string, args ...any) {
	c.invalid[s] = true
	c.problem("%s: %s", clip(c.words(s)), fmt.Sprintf(format, args...))
}

// sound reports whether the settings are all possible, each by itself.
func (c *config) sound(all ...setting) bool {
	return !slices.ContainsFunc(all, func(s setting) bool { return c.invalid[s] })
}

// checkEach holds every setting against its own limits.
func (c *config) checkEach() {
	switch Acks(c.acks) {
	case AcksAll, AcksLeader, AcksNone:
	default:
		c.wrong(setAcks, "acks must be all (-1), 1 or 0")
	}
	if len(c.clientID) > math.MaxInt16 || !utf8.ValidString(c.clientID) {
		c.wrong(setClientID, "must be UTF-8 and at most %d bytes long", math.MaxInt16)
	}
	c.checkNumbers()
	c.checkDurations()
	c.checkCompression()
}

func (c *config) checkNumbers() {
	for _, n := range []struct {
		name    setting
		value   int64
		lo, hi  int64
		comment string
	}{
		{setRetries, int64(c.retries), 0, math.MaxInt32, ""},
		{setMaxInFlight, int64(c.maxInFlight), 1, maxInFlight, ""},
		{setBatchSize, int64(c.batchSize), 0, maxBatchSize, "; a batch holds at most 2 MiB"},
		{setBufferMemory, c.bufferMemory, 1, maxBufferMemory, "; New allocates it whole"},
		{setMaxRequestSize, int64(c.maxRequestSize), 1, math.MaxInt32, ""},
		{setSendBuffer, int64(c.sendBuffer), -1, math.MaxInt32, ""},
		{setReceiveBuffer, int64(c.receiveBuffer), -1, math.MaxInt32, ""},
	} {
		switch {
		case n.value < n.lo && n.lo == 0:
			c.wrong(n.name, "must not be negative")
		case n.value < n.lo:
			c.wrong(n.name, "must be at least %d", n.lo)
		case n.value > n.hi:
			c.wrong(n.name, "must be at most %d%s", n.hi, n.comment)
		}
	}
	// The range of the two buffers has a hole.
	const hole = "must be positive, or -1 for the system's default"
	if c.sendBuffer == 0 {
		c.wrong(setSendBuffer, hole)
	}
	if c.receiveBuffer == 0 {
		c.wrong(setReceiveBuffer, hole)
	}
}

func (c *config) checkDurations() {
	for _, d := range []struct {
		name   setting
		value  time.Duration
		lo, hi time.Duration
	}{
		{setLinger, c.linger, 0, forever},
		{setMaxBlock, c.maxBlock, 0, forever},
		{setDeliveryTimeout, c.deliveryTimeout, time.Millisecond, longestTime},
		{setRequestTimeout, c.requestTimeout, time.Millisecond, longestTime},
		{setRetryBackoff, c.retryBackoff, 0, forever},
		{setRetryBackoffMax, c.retryBackoffMax, 0, forever},
		{setReconnectBackoff, c.reconnectBackoff, 0, forever},
		{setReconnectBackoffMax, c.reconnectBackoffMax, 0, forever},
		{setConnSetupTimeout, c.connSetupTimeout, time.Millisecond, forever},
		{setConnSetupTimeoutMax, c.connSetupTimeoutMax, time.Millisecond, forever},
		{setMetadataMaxAge, c.metadataMaxAge, 0, forever},
		{setMetadataMaxIdle, c.metadataMaxIdle, 5 * time.Second, forever},
		{setRebootstrapTrigger, c.rebootstrapTrigger, 0, forever},
		{setAvailabilityTimeout, c.availabilityTimeout, 0, forever},
	} {
		switch {
		case d.value < d.lo && d.lo == 0:
			c.wrong(d.name, "must not be negative")
		case d.value < d.lo:
			c.wrong(d.name, "must be at least %v", d.lo)
		case d.value > d.hi:
			c.wrong(d.name, "must be at most %v", d.hi)
		}
	}
	if c.connMaxIdle == 0 {
		c.wrong(setConnMaxIdle, "must be positive, or negative to keep idle connections for ever")
	}
}

// checkTogether holds the settings against each other. What the caller gave is
// an error where it contradicts; what is only a default gives way in settle.
func (c *config) checkTogether() {
	if c.sound(setBatchSize, setBufferMemory) && int64(c.batchSize) > c.bufferMemory {
		c.problem("%s exceeds %s: not one batch would fit into the buffer",
			c.words(setBatchSize), c.words(setBufferMemory))
	}
	if c.given[setDeliveryTimeout] != "" &&
		c.sound(setDeliveryTimeout, setLinger, setRequestTimeout) &&
		c.deliveryTimeout < c.leastDeliveryTimeout() {
		c.problem("%s: must be at least linger + request timeout = %v (%s, %s)",
			c.words(setDeliveryTimeout), c.leastDeliveryTimeout(),
			c.words(setLinger), c.words(setRequestTimeout))
	}
	if c.idempotence {
		c.checkIdempotence()
	}
	c.checkTransactions()
	c.checkStopOnLoss()
}

func (c *config) checkIdempotence() {
	if c.sound(setMaxInFlight) && c.maxInFlight > maxIdempotentInFlight {
		c.problem("%s: must be at most %d with idempotence, which brokers can check no further back; "+
			"lower it, or turn idempotence off with DisableIdempotence() or enable.idempotence=false",
			c.words(setMaxInFlight), maxIdempotentInFlight)
	}
	if c.given[setIdempotence] == "" {
		return
	}
	if c.sound(setAcks) && Acks(c.acks) != AcksAll {
		c.problem("%s contradicts %s: idempotence needs acks=all", c.words(setAcks), c.words(setIdempotence))
	}
	if c.sound(setRetries) && c.retries == 0 {
		c.problem("%s contradicts %s: idempotence needs retries", c.words(setRetries), c.words(setIdempotence))
	}
}

// leastDeliveryTimeout is the time that one attempt can take.
func (c *config) leastDeliveryTimeout() time.Duration {
	return min(c.linger, longestTime-c.requestTimeout) + c.requestTimeout
}

// settle derives what follows from a valid configuration, and logs where a
// default gave way. It changes only what the caller did not ask for.
func (c *config) settle() {
	c.warnInsecure()
	if c.idempotence && (Acks(c.acks) != AcksAll || c.retries == 0) {
		c.idempotence = false
		c.logger.Info("kring: idempotence is off, because it needs acks=all and retries",
			"acks", Acks(c.acks).String(), "retries", c.retries)
	}
	if least := c.leastDeliveryTimeout(); c.deliveryTimeout < least {
		c.logger.Warn("kring: the delivery timeout was raised to linger + request timeout",
			"default", c.deliveryTimeout, "now", least)
		c.deliveryTimeout = least
	}
	// Whoever sets only the first of the pair wants that backoff, constant.
	if c.given[setReconnectBackoff] != "" && c.given[setReconnectBackoffMax] == "" {
		c.reconnectBackoffMax = c.reconnectBackoff
	}
	c.reconnectBackoff = min(c.reconnectBackoff, c.reconnectBackoffMax)
	c.retryBackoff = min(c.retryBackoff, c.retryBackoffMax)
	c.connSetupTimeout = min(c.connSetupTimeout, c.connSetupTimeoutMax)
	c.batchSize = max(c.batchSize, 1)
}

// checkBrokers brings the bootstrap list into the form host:port and drops what
// is in it twice.
func (c *config) checkBrokers() {
	if len(c.brokers) == 0 {
		c.problem("no broker to start from: give Brokers(\"host:9092\") or bootstrap.servers")
		return
	}
	seen := make(map[string]bool)
	var list []string
	for _, given := range c.brokers {
		address, err := brokerAddress(given)
		switch {
		case err != nil:
			c.wrong(setBrokers, "%v", err)
		case !seen[address]:
			seen[address] = true
			list = append(list, address)
		}
	}
	c.brokers = list
}

// brokerAddress checks and cleans one address of the bootstrap list.
func brokerAddress(given string) (string, error) {
	switch {
	case given == "":
		return "", errors.New("an address is empty")
	case strings.Contains(given, "@"):
		// Not quoted, for what stands before the @ may be a password.
		return "", errors.New("an address contains an @: want host:port without a user")
	}
	address := given
	if protocol, rest, found := strings.Cut(given, "://"); found {
		if !isProtocol(protocol) {
			return "", fmt.Errorf("address %q: %q is no protocol of Kafka's", clip(given), clip(protocol))
		}
		address = rest
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil && strings.Count(address, ":") > 1:
		return "", fmt.Errorf("address %q: want host:port, an IPv6 host in brackets as in \"[::1]:9092\"", clip(given))
	case err != nil:
		return "", fmt.Errorf("address %q: want host:port, such as \"localhost:9092\"", clip(given))
	case host == "" || strings.ContainsAny(host, " \t\r\n/,"):
		return "", fmt.Errorf("address %q: the host is missing or malformed", clip(given))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("address %q: the port must be a number from 1 to 65535", clip(given))
	}
	return net.JoinHostPort(host, port), nil
}

// clip shortens what is quoted in an error message.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
