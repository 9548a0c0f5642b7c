package cluster

import "time"

// MaxThrottle is the longest throttle time that is believed. Brokers bound
// theirs by the quota window, 11 s by default.
const MaxThrottle = time.Minute

// backoffJitter spreads a backoff to both sides, so that the clients which lost
// a broker at the same moment do not come back at the same moment.
const backoffJitter = 0.2

// Backoff returns how long to wait after the given number of failures in a row:
// base after the first, twice as long after each further one, at most limit,
// and that ±20 % by random, which returns numbers in [0, 1). It is 0 when
// nothing failed. Its result never exceeds 1.2 × limit, however many failures.
func Backoff(base, limit time.Duration, failures int, random func() float64) time.Duration {
	if failures <= 0 || base <= 0 {
		return 0
	}
	term := base
	for range failures - 1 {
		if term >= limit/2 { // Stops before the doubling could overflow.
			term = limit
			break
		}
		term *= 2
	}
	term = min(term, max(limit, 0))
	return time.Duration(float64(term) * (1 - backoffJitter + 2*backoffJitter*random()))
}

// ClampThrottle turns the throttle time of a response into a wait that a lying
// broker can neither make negative nor make endless.
func ClampThrottle(throttleMs int32) time.Duration {
	return min(max(time.Duration(throttleMs)*time.Millisecond, 0), MaxThrottle)
}

// AuthBackoff is how long to leave a broker alone after so many failures in a
// row, if the last one was an AuthError.
func (c *Client) AuthBackoff(failures int) time.Duration {
	return Backoff(c.cfg.AuthBackoff, c.cfg.AuthBackoffMax, failures, c.cfg.Rand)
}
