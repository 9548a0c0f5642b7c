package kring

import (
	"fmt"
	"strconv"
	"strings"
)

// KafkaError is an error code of Kafka's protocol, as an error. Test for one
// with errors.Is:
//
//	errors.Is(d.Err, kring.MessageTooLarge)
//
// Codes without a constant here are written KafkaError(41).
type KafkaError int16

// The codes that a producer meets: in the answers to Produce, Metadata,
// InitProducerId, ApiVersions and the SASL requests.
const (
	None                               KafkaError = 0
	UnknownServerError                 KafkaError = -1
	CorruptMessage                     KafkaError = 2
	UnknownTopicOrPartition            KafkaError = 3
	LeaderNotAvailable                 KafkaError = 5
	NotLeaderOrFollower                KafkaError = 6
	RequestTimedOut                    KafkaError = 7
	ReplicaNotAvailable                KafkaError = 9
	MessageTooLarge                    KafkaError = 10
	NetworkException                   KafkaError = 13
	CoordinatorLoadInProgress          KafkaError = 14
	CoordinatorNotAvailable            KafkaError = 15
	NotCoordinator                     KafkaError = 16
	InvalidTopicException              KafkaError = 17
	RecordListTooLarge                 KafkaError = 18
	NotEnoughReplicas                  KafkaError = 19
	NotEnoughReplicasAfterAppend       KafkaError = 20
	InvalidRequiredAcks                KafkaError = 21
	TopicAuthorizationFailed           KafkaError = 29
	ClusterAuthorizationFailed         KafkaError = 31
	InvalidTimestamp                   KafkaError = 32
	UnsupportedSaslMechanism           KafkaError = 33
	IllegalSaslState                   KafkaError = 34
	UnsupportedVersion                 KafkaError = 35
	InvalidRequest                     KafkaError = 42
	UnsupportedForMessageFormat        KafkaError = 43
	PolicyViolation                    KafkaError = 44
	OutOfOrderSequenceNumber           KafkaError = 45
	DuplicateSequenceNumber            KafkaError = 46
	InvalidProducerEpoch               KafkaError = 47
	InvalidTxnState                    KafkaError = 48
	InvalidProducerIDMapping           KafkaError = 49
	ConcurrentTransactions             KafkaError = 51
	TransactionalIDAuthorizationFailed KafkaError = 53
	KafkaStorageError                  KafkaError = 56
	SaslAuthenticationFailed           KafkaError = 58
	UnknownProducerID                  KafkaError = 59
	ListenerNotFound                   KafkaError = 72
	FencedLeaderEpoch                  KafkaError = 74
	UnknownLeaderEpoch                 KafkaError = 75
	UnsupportedCompressionType         KafkaError = 76
	InvalidRecord                      KafkaError = 87
	ThrottlingQuotaExceeded            KafkaError = 89
	ProducerFenced                     KafkaError = 90
	UnknownTopicID                     KafkaError = 100
	InconsistentTopicID                KafkaError = 103
	TransactionAbortable               KafkaError = 120
	RebootstrapRequired                KafkaError = 129
)

// Name returns Kafka's name of the code, such as NOT_LEADER_OR_FOLLOWER.
func (e KafkaError) Name() string {
	name, _ := e.describe()
	return name
}

// Error returns the name, the number and what it means.
func (e KafkaError) Error() string {
	name, meaning := e.describe()
	return fmt.Sprintf("%s (%d): %s", name, int16(e), meaning)
}

// Retriable reports whether trying again may help without anybody changing
// anything, exactly as in the Java client: its exception is a
// RetriableException.
func (e KafkaError) Retriable() bool {
	if e.RefreshesMetadata() {
		return true
	}
	switch e {
	case CorruptMessage, RequestTimedOut,
		CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator,
		NotEnoughReplicas, NotEnoughReplicasAfterAppend, ConcurrentTransactions,
		UnknownLeaderEpoch, ThrottlingQuotaExceeded,
		// Never in an answer to a producer, and listed so that the table
		// is whole: NOT_CONTROLLER, the fetch sessions, OFFSET_NOT_AVAILABLE,
		// UNSTABLE_OFFSET_COMMIT, the share sessions.
		41, 70, 71, 78, 88, 106, 122, 123, 133:
		return true
	default:
		return false
	}
}

// RefreshesMetadata reports whether the code says that this client's view of
// the cluster is old, so that new metadata is asked for before the next
// attempt: its exception in the Java client is an InvalidMetadataException.
func (e KafkaError) RefreshesMetadata() bool {
	switch e {
	case UnknownTopicOrPartition, LeaderNotAvailable, NotLeaderOrFollower,
		ReplicaNotAvailable, NetworkException, KafkaStorageError,
		ListenerNotFound, FencedLeaderEpoch, UnknownTopicID, InconsistentTopicID,
		// The answers to leader elections, never to a producer.
		80, 83, 84:
		return true
	default:
		return false
	}
}

// mayHaveAppended reports whether a Produce answer with this code leaves open
// that the batch is in the log, given the acks that were asked for.
//
// With acks=all a broker first appends and then waits for its followers. What
// goes wrong during that wait is reported by codes that otherwise mean "refused
// at the door": the broker lost the leadership (6), its replica (3) or its disk
// (56) meanwhile, and the new leader may have the batch. So those prove
// something only for the other acks.
func (e KafkaError) mayHaveAppended(acks int16) bool {
	switch e {
	case UnknownServerError, RequestTimedOut, NetworkException,
		NotEnoughReplicasAfterAppend, KafkaStorageError:
		return true
	case UnknownTopicOrPartition, NotLeaderOrFollower:
		return acks == int16(AcksAll)
	default:
		// A code from the future proves nothing.
		return e < UnknownServerError || e > lastKnownKafkaError
	}
}

// describe looks the code up in the table. It is for texts only, so a scan of
// the table is fast enough; the decisions above are switches.
func (e KafkaError) describe() (name, meaning string) {
	start := "\n" + strconv.Itoa(int(e)) + " "
	_, rest, found := strings.Cut(kafkaErrorTable, start)
	if !found {
		return "UNKNOWN_ERROR_CODE", "a newer broker's error, not known to this version of kring"
	}
	line, _, _ := strings.Cut(rest, "\n")
	name, meaning, _ = strings.Cut(line, " ")
	return name, meaning
}
