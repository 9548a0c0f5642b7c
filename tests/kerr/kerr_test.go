// Package kerr holds kring's table of Kafka's error codes against franz-go's.
package kerr

import (
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kring-go/kring"
)

func TestCodesAgreeWithFranz(t *testing.T) {
	// franz-go keeps one name from before Kafka 2.6.
	renamed := map[string]string{"NOT_LEADER_FOR_PARTITION": "NOT_LEADER_OR_FOLLOWER"}

	// Where the two differ about a retry, kring follows the hierarchy of the
	// Java client's exceptions.
	javaDisagrees := map[string]string{
		"BROKER_NOT_AVAILABLE":        "BrokerNotAvailableException is no RetriableException",
		"CONCURRENT_TRANSACTIONS":     "ConcurrentTransactionsException is a RetriableException",
		"SHARE_SESSION_NOT_FOUND":     "ShareSessionNotFoundException is a RetriableException",
		"INVALID_SHARE_SESSION_EPOCH": "InvalidShareSessionEpochException is a RetriableException",
	}

	const unknown = "UNKNOWN_ERROR_CODE"
	known := 0
	for code := math.MinInt16; code <= math.MaxInt16; code++ {
		if code == 0 {
			continue // kerr has no error for it
		}
		ours := kring.KafkaError(code)
		theirs := kerr.TypedErrorForCode(int16(code))
		if theirs == nil || theirs.Code != int16(code) {
			if ours.Name() != unknown {
				t.Errorf("code %d is %s here, and unknown to franz-go", code, ours.Name())
			}
			continue
		}
		known++
		want := theirs.Message
		if name, ok := renamed[want]; ok {
			want = name
		}
		if ours.Name() != want {
			t.Errorf("code %d is %s, want %s", code, ours.Name(), want)
		}
		if reason, differs := javaDisagrees[want]; differs {
			if ours.Retriable() == theirs.Retriable {
				t.Errorf("%s: franz-go now agrees: %s", want, reason)
			}
		} else if ours.Retriable() != theirs.Retriable {
			t.Errorf("%s: Retriable() = %v, want %v", want, ours.Retriable(), theirs.Retriable)
		}
	}
	if known < 130 {
		t.Errorf("only %d codes compared", known)
	}
}
