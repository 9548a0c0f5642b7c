package kring

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that producers test for with errors.Is. Those that a method returns
// mean that the record was not accepted: its callback is never called, and it
// is certainly not in the log. The same errors inside a Delivery come wrapped
// in a *ProduceError.
var (
	// ErrClosed: the producer is closed or closing.
	ErrClosed = errors.New("kring: producer is closed")

	// ErrWriterClosed: the Writer was closed. Its producer may be open.
	ErrWriterClosed = errors.New("kring: writer is closed")

	// ErrReservation: a Writer was used while its Reservation was open, or a
	// Reservation that was not.
	ErrReservation = errors.New("kring: reservation is open, or was ended before")

	// ErrBufferFull is TryProduce's back-pressure signal: BufferMemory is in
	// use, or MaxBufferedRecords reached, or somebody already waits for it. Try
	// again later, or call Produce, which waits.
	ErrBufferFull = errors.New("kring: buffer memory is full")

	// ErrMaxBlock: MaxBlock passed while Produce waited for the topic's
	// metadata, for buffer memory or for MaxBufferedRecords. The text says
	// for which.
	ErrMaxBlock = errors.New("kring: gave up waiting after MaxBlock")

	// ErrDeliveryTimeout: DeliveryTimeout passed since the record's batch
	// was opened, and no broker gave a final answer. ErrRecordDeadline in a
	// Delivery matches it too.
	ErrDeliveryTimeout = errors.New("kring: delivery timeout passed")

	// ErrRecordDeadline: the record's Deadline passed before it was sent. It
	// is not in the log.
	ErrRecordDeadline = errors.New("kring: the record's deadline passed before it was sent")

	// ErrRetriesExhausted: the last of Retries attempts failed too.
	ErrRetriesExhausted = errors.New("kring: no retries left")

	// ErrRecordTooLarge: the record alone exceeds MaxRequestSize or
	// BufferMemory, or the broker's limit, and can not be split.
	ErrRecordTooLarge = errors.New("kring: record is too large")

	// ErrUnknownTopic: the cluster does not have the topic and does not
	// create it, or does not show it to this client.
	ErrUnknownTopic = errors.New("kring: unknown topic")

	// ErrInvalidTopic: no cluster can have a topic of this name.
	ErrInvalidTopic = errors.New("kring: invalid topic name")

	// ErrInvalidPartition: the record names a partition that the topic does
	// not have.
	ErrInvalidPartition = errors.New("kring: invalid partition")

	// ErrInvalidRecord: the record can not be written in Kafka's format, or
	// the broker refused it and named it as the reason.
	ErrInvalidRecord = errors.New("kring: invalid record")

	// ErrBatchRejected: the broker refused the batch because of another
	// record in it. There was nothing wrong with this one: produce it again.
	ErrBatchRejected = errors.New("kring: another record of the batch was rejected")

	// ErrMetadataPending is TryProduce's signal that the topic's partitions
	// are not known yet. A request for them is under way.
	ErrMetadataPending = errors.New("kring: metadata of the topic is not here yet")

	// ErrInCallback: Flush, Close or a waiting Produce was called from a
	// Callback or a Hook, where it would wait for itself.
	ErrInCallback = errors.New("kring: would wait for itself inside a callback")

	// ErrConfig is in every error that New returns because of its options,
	// and in those of FromProperties and ReadProperties.
	ErrConfig = errors.New("kring: invalid configuration")
)

// errNilRecord is what ProduceRecord returns for nil.
func errNilRecord() error { return fmt.Errorf("%w: ProduceRecord was given nil", ErrInvalidRecord) }

// andAlso is an error that matches a second sentinel, of which its text has no
// need.
type andAlso struct {
	error
	also error
}

func (e andAlso) Unwrap() []error { return []error{e.error, e.also} }

// Certainty says what is known about a record that was not acknowledged.
type Certainty uint8

const (
	// PossiblyPersisted: a request with the record left this process, and
	// no definite answer came. The record may be in the log, now or later.
	// Producing it again can store it twice. It is the zero value, because a
	// claim of the opposite has to be made on purpose.
	PossiblyPersisted Certainty = iota

	// NotPersisted: the record is not in the log and never will be.
	// Producing it again can not store it twice.
	NotPersisted
)

// String returns the name of the constant.
func (c Certainty) String() string {
	switch c {
	case PossiblyPersisted:
		return "PossiblyPersisted"
	case NotPersisted:
		return "NotPersisted"
	default:
		return fmt.Sprintf("Certainty(%d)", uint8(c))
	}
}

// ProduceError is why an accepted record was not acknowledged. It unwraps to
// its cause, so that errors.Is finds the sentinels above, context errors and
// network errors in it; and it matches the KafkaError of its Code:
//
//	var pe *kring.ProduceError
//	switch {
//	case errors.As(d.Err, &pe) && pe.Certainty == kring.NotPersisted:
//		again(d.Tag) // can not become a duplicate
//	case errors.Is(d.Err, kring.TopicAuthorizationFailed):
//		…
//	}
type ProduceError struct {
	// Topic and Partition are the record's. The partition is -1 if none was
	// chosen.
	Topic     string
	Partition int32

	// Broker is the node that the last attempt went to, or -1 if there was
	// none.
	Broker int32

	// Code is Kafka's error code in the last answer, or 0 if there was no
	// answer.
	Code int16

	// Attempts counts the requests that carried the record, wholly or in
	// part.
	Attempts int

	// Certainty says whether the record may be in the log.
	Certainty Certainty

	// Err is the cause.
	Err error
}

// Error says what happened, where, whether the record may be in the log, and
// so what to do. It never contains any of the record's data.
func (e *ProduceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kring: topic %q", e.Topic)
	if e.Partition >= 0 {
		fmt.Fprintf(&b, " partition %d", e.Partition)
	}
	b.WriteString(": ")
	b.WriteString(e.attempts())
	b.WriteString(": ")
	b.WriteString(e.cause())
	if e.Certainty == NotPersisted {
		b.WriteString("; the record is not in the log, producing it again is safe")
	} else {
		b.WriteString("; the record may be in the log, producing it again may store it twice")
	}
	return b.String()
}

func (e *ProduceError) attempts() string {
	var tries string
	switch e.Attempts {
	case 0:
		tries = "never sent"
	case 1:
		tries = "failed after 1 attempt"
	default:
		tries = fmt.Sprintf("failed after %d attempts", e.Attempts)
	}
	switch {
	case e.Broker < 0:
		return tries
	case e.Attempts == 0:
		return fmt.Sprintf("%s to broker %d", tries, e.Broker)
	default:
		return fmt.Sprintf("%s, the last at broker %d", tries, e.Broker)
	}
}

// cause is the text of Err, without a second prefix, and that of the broker's
// code where Err is about something else, such as a timeout.
func (e *ProduceError) cause() string {
	var text string
	switch {
	case e.Err != nil:
		text = strings.TrimPrefix(e.Err.Error(), "kring: ")
	case e.Code != 0:
		return KafkaError(e.Code).Error()
	default:
		return "unknown cause"
	}
	if e.Code != 0 && !errors.Is(e.Err, KafkaError(e.Code)) {
		text += fmt.Sprintf(" (the last answer was %s)", KafkaError(e.Code).Error())
	}
	return text
}

// Unwrap returns the cause.
func (e *ProduceError) Unwrap() error { return e.Err }

// Is reports whether target is the KafkaError of the last answer.
func (e *ProduceError) Is(target error) bool {
	code, ok := target.(KafkaError)
	return ok && code != 0 && code == KafkaError(e.Code)
}

// As lets errors.As find the KafkaError of the last answer even where the cause
// is another error.
func (e *ProduceError) As(target any) bool {
	code, ok := target.(*KafkaError)
	if ok && e.Code != 0 {
		*code = KafkaError(e.Code)
		return true
	}
	return false
}
