package kring

import "time"

// TopicAcks is RequireAcks for one topic. Requests carry one number of
// acknowledgements, so records of topics that differ in it leave in requests of
// their own. Less than AcksAll needs DisableIdempotence, because a broker can
// only recognise repeated batches of producers that wait for all. librdkafka:
// acks of a topic.
func TopicAcks(acks Acks) TopicSetting { return func(s *topicSettings) { s.acks = &acks } }

// TopicDeliveryTimeout is DeliveryTimeout for one topic: at least its linger and
// RequestTimeout. librdkafka: message.timeout.ms of a topic.
func TopicDeliveryTimeout(d time.Duration) TopicSetting {
	return func(s *topicSettings) { s.deliveryTimeout = &d }
}

// acksOf is how many acknowledgements the topic's records need.
func (c *config) acksOf(topic string) int16 {
	if s := c.topics[topic]; s != nil && s.acks != nil {
		return int16(*s.acks)
	}
	return c.acks
}

// deliveryTimeoutOf is how long a record of the topic has.
func (c *config) deliveryTimeoutOf(topic string) time.Duration {
	return c.topics[topic].deliveryTimeoutOr(c.deliveryTimeout)
}

// lingerOr is the topic's linger; s may be nil.
func (s *topicSettings) lingerOr(d time.Duration) time.Duration {
	if s != nil && s.linger != nil {
		return *s.linger
	}
	return d
}

func (s *topicSettings) deliveryTimeoutOr(d time.Duration) time.Duration {
	if s != nil && s.deliveryTimeout != nil {
		return *s.deliveryTimeout
	}
	return d
}

// leastTimeout is the shortest delivery timeout of what lingers for Linger.
func (c *config) leastTimeout() time.Duration {
	least := c.deliveryTimeout
	for _, s := range c.topics {
		if s.linger == nil {
			least = min(least, s.deliveryTimeoutOr(least))
		}
	}
	return least
}

// checkTopicDelivery is checkTopics for the settings of this file, and for what
// depends on them.
func (c *config) checkTopicDelivery(s *topicSettings, bad func(format string, args ...any)) {
	if a := s.acks; a != nil {
		switch {
		case *a != AcksAll && *a != AcksLeader && *a != AcksNone:
			bad("TopicAcks(%d): want AcksAll, AcksLeader or AcksNone", int16(*a))
		case *a != AcksAll && c.idempotence && Acks(c.acks) == AcksAll && c.retries > 0:
			bad("TopicAcks(%v) needs DisableIdempotence() (enable.idempotence=false): idempotence needs acks=all for every topic", *a)
		}
	}
	linger, timeout := s.lingerOr(c.linger), s.deliveryTimeoutOr(c.deliveryTimeout)
	switch most := timeout - c.requestTimeout; {
	case s.linger != nil && (linger < 0 || linger > most):
		bad("TopicLinger(%v) must be 0 to delivery timeout - request timeout = %v", linger, most)
	case s.deliveryTimeout != nil && (timeout > longestTime || c.sound(setLinger, setRequestTimeout) && linger > most):
		bad("TopicDeliveryTimeout(%v) must be linger + request timeout = %v to %v", timeout, linger+c.requestTimeout, longestTime)
	}
}
