package broker

// The error codes of the Kafka protocol that this broker answers with.
const (
	errNone                    int16 = 0
	errOffsetOutOfRange        int16 = 1
	errCorruptMessage          int16 = 2
	errUnknownTopicOrPartition int16 = 3
	errLeaderNotAvailable      int16 = 5
	errNotLeaderOrFollower     int16 = 6
	errMessageTooLarge         int16 = 10
	errCoordinatorNotAvailable int16 = 15
	errInvalidTopic            int16 = 17
	errInvalidRequiredAcks     int16 = 21
	errUnsupportedVersion      int16 = 35
	errInvalidRequest          int16 = 42
	errPolicyViolation         int16 = 44
	errOutOfOrderSequence      int16 = 45
	errInvalidProducerEpoch    int16 = 47
	errInvalidTxnState         int16 = 48
	errTransactionalIDDenied   int16 = 53
	errFetchSessionNotFound    int16 = 70
	errInvalidRecord           int16 = 87
	errUnknownTopicID          int16 = 100
)
