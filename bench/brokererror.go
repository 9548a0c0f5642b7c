package bench

import "strconv"

// brokerError is an error code of the Kafka protocol in an answer to the
// harness itself.
type brokerError int16

// The codes that the harness handles.
const (
	codeNone             = 0
	codeOffsetOutOfRange = 1
	codeUnknownTopic     = 3
	codeLeaderMissing    = 5
	codeNotLeader        = 6
	codeTopicExists      = 36
)

// Error names what users meet; the rest can be looked up by its number.
func (e brokerError) Error() string {
	name := map[brokerError]string{
		codeOffsetOutOfRange: "offset out of range",
		codeUnknownTopic:     "unknown topic or partition",
		codeLeaderMissing:    "leader not available",
		codeNotLeader:        "not the leader",
		17:                   "invalid topic name",
		29:                   "not authorized for the topic",
		31:                   "not authorized for the cluster",
		37:                   "invalid number of partitions",
		38:                   "invalid replication factor",
		44:                   "forbidden by the cluster's policy",
	}[e]
	text := "broker error " + strconv.Itoa(int(e))
	if name != "" {
		text += " (" + name + ")"
	}
	return text
}

// passes reports whether asking again may help.
func (e brokerError) passes() bool {
	return e == codeUnknownTopic || e == codeLeaderMissing || e == codeNotLeader
}
