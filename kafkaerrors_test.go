package kring

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestKafkaErrorClasses holds the switches against the exception hierarchy of
// the Java client, code by code: S36.
func TestKafkaErrorClasses(t *testing.T) {
	// The subclasses of InvalidMetadataException, and the other subclasses of
	// RetriableException.
	refresh := []KafkaError{3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103}
	retriable := []KafkaError{2, 7, 14, 15, 16, 19, 20, 41, 51, 70, 71, 75, 78, 88, 89, 106, 122, 123, 133}
	for e := KafkaError(-2); e <= lastKnownKafkaError+2; e++ {
		if got, want := e.RefreshesMetadata(), slices.Contains(refresh, e); got != want {
			t.Errorf("%v: RefreshesMetadata() = %v, want %v", e, got, want)
		}
		want := slices.Contains(refresh, e) || slices.Contains(retriable, e)
		if got := e.Retriable(); got != want {
			t.Errorf("%v: Retriable() = %v, want %v", e, got, want)
		}
	}
}

func TestKafkaErrorTableIsWhole(t *testing.T) {
	lines := strings.Split(strings.Trim(kafkaErrorTable, "\n"), "\n")
	if want := int(lastKnownKafkaError) + 2; len(lines) != want {
		t.Fatalf("%d lines, want %d: one for each code from -1", len(lines), want)
	}
	names := make(map[string]bool)
	for i, line := range lines {
		e := KafkaError(i - 1)
		name, meaning := e.describe()
		if want := fmt.Sprintf("%d %s %s", e, name, meaning); line != want {
			t.Errorf("line %d is %q, but %d is described as %q", i+1, line, e, want)
		}
		if name != strings.ToUpper(name) || name == "" || meaning == "" || names[name] {
			t.Errorf("code %d: name %q, meaning %q", e, name, meaning)
		}
		names[name] = true
	}
}

func TestKafkaErrorText(t *testing.T) {
	tests := map[KafkaError]string{
		NotLeaderOrFollower: "NOT_LEADER_OR_FOLLOWER (6): the broker is not, or no longer, the leader of the partition",
		1:                   "OFFSET_OUT_OF_RANGE (1): the offset is outside the log",
		-1:                  "UNKNOWN_SERVER_ERROR (-1): the broker met an error that it did not expect; its log says more",
		-2:                  "UNKNOWN_ERROR_CODE (-2): a newer broker's error, not known to this version of kring",
		137:                 "UNKNOWN_ERROR_CODE (137): a newer broker's error, not known to this version of kring",
		math.MinInt16:       "UNKNOWN_ERROR_CODE (-32768): a newer broker's error, not known to this version of kring",
	}
	for e, want := range tests {
		if got := e.Error(); got != want {
			t.Errorf("Error() = %q, want %q", got, want)
		}
	}
}

func TestKafkaErrorMayHaveAppended(t *testing.T) {
	const no, yes, onlyAll = 0, 1, 2
	tests := map[KafkaError]int{
		UnknownServerError: yes, RequestTimedOut: yes, NetworkException: yes,
		NotEnoughReplicasAfterAppend: yes, KafkaStorageError: yes,
		KafkaError(lastKnownKafkaError + 1): yes, math.MinInt16: yes,
		NotLeaderOrFollower: onlyAll, UnknownTopicOrPartition: onlyAll,
		None: no, CorruptMessage: no, LeaderNotAvailable: no, MessageTooLarge: no, NotEnoughReplicas: no,
		InvalidRecord: no, TopicAuthorizationFailed: no, OutOfOrderSequenceNumber: no, lastKnownKafkaError: no,
	}
	for e, want := range tests {
		if got := e.mayHaveAppended(int16(AcksAll)); got != (want != no) {
			t.Errorf("%v, acks=all: %v", e, got)
		}
		if got := e.mayHaveAppended(int16(AcksLeader)); got != (want == yes) {
			t.Errorf("%v, acks=1: %v", e, got)
		}
	}
}
