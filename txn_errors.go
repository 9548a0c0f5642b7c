package kring

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kring-go/kring/cluster"
)

// Errors of transactions, for errors.Is. Every error of a method of
// transactions matches one of the first four, or ErrClosed, ErrInCallback or
// the context's error if nothing has happened to the transaction.
var (
	// ErrTransactionAbortable: something of the transaction has failed, so it
	// can not be committed. Call AbortTransaction; after that the work can be
	// done again in a new transaction.
	ErrTransactionAbortable = errors.New("kring: the transaction must be aborted")

	// ErrTransactionFatal: this producer can not go on. Close it, and make a
	// new one if that is the right thing after what the error says.
	ErrTransactionFatal = errors.New("kring: the transactional producer can not go on")

	// ErrTransactionUnknown: nobody has said whether the transaction was
	// ended. Call the same method again to find out, or InitTransactions to
	// go on without knowing; nothing else is possible.
	ErrTransactionUnknown = errors.New("kring: the outcome of the transaction is unknown")

	// ErrTransactionState: the call, or Produce, does not fit what the
	// producer is doing. Nothing has changed.
	ErrTransactionState = errors.New("kring: not possible in this state of the transaction")

	// ErrFenced: a newer producer has the same transactional id, or the
	// coordinator gave this one up. It comes with ErrTransactionFatal.
	ErrFenced = errors.New("kring: fenced: a newer producer has the same transactional id, or the transaction timed out")

	// ErrTransactionAborted is in the Delivery of a record that was not sent,
	// or not sent again, because its transaction is being aborted.
	ErrTransactionAborted = errors.New("kring: the record's transaction is being aborted")
)

// txnError is what a method of transactions returns.
type txnError struct {
	op   string
	kind error // one of the first four above
	err  error // the cause
	hint string
}

func (e *txnError) Error() string {
	text := "kring: " + e.op + ": " + strings.TrimPrefix(e.err.Error(), "kring: ")
	if e.hint != "" {
		text += "; " + e.hint
	}
	return text
}

func (e *txnError) Is(target error) bool { return target == e.kind }

func (e *txnError) Unwrap() error { return e.err }

func abortable(op string, cause error) error {
	return &txnError{op, ErrTransactionAbortable, cause, "call AbortTransaction, then begin again"}
}

func fatal(op string, cause error) error {
	hint := "close this producer"
	if errors.Is(cause, ErrFenced) {
		hint = "a newer producer has the same transactional id, or the transaction timed out: " + hint
	}
	return &txnError{op, ErrTransactionFatal, cause, hint}
}

func unknown(op string, cause error) error {
	return &txnError{
		op, ErrTransactionUnknown, cause,
		"it is not known whether this was done: call " + op + " again, or InitTransactions to go on without knowing",
	}
}

func misplaced(op, why string) error {
	return &txnError{op, ErrTransactionState, errors.New(why), ""}
}

// verdict is what a failure means for a transaction.
type verdict struct {
	err   error // the cause, with the KafkaError of its code
	code  KafkaError
	fatal bool
	// renew says that the producer id or epoch is no good for another
	// transaction.
	renew bool
}

// judge classifies the error of a coordinator. Its word about an epoch is
// final, unlike that of a partition's leader.
func judge(err error) verdict {
	v := verdict{err: err}
	refused := (*cluster.CodeError)(nil)
	if !errors.As(err, &refused) {
		v.fatal = errors.As(err, new(*cluster.VersionError))
		return v
	}
	v.code = KafkaError(refused.Code)
	v.err = andAlso{fmt.Errorf("%w (%s)", err, v.code.Name()), v.code}
	switch v.code {
	case InvalidProducerEpoch, ProducerFenced:
		v.fatal = true
		v.err = andAlso{v.err, ErrFenced}
	case InvalidTxnState, TransactionalIDAuthorizationFailed, ClusterAuthorizationFailed,
		UnsupportedVersion, UnsupportedForMessageFormat, invalidTransactionTimeout:
		v.fatal = true
	case InvalidProducerIDMapping, UnknownProducerID:
		v.renew = true
	}
	return v
}

const invalidTransactionTimeout KafkaError = 50

// judgeRecord classifies why a record failed. An epoch that a partition's
// leader does not accept may have been given up by the coordinator after
// TransactionTimeout: the coordinator will tell (KIP-588).
func judgeRecord(err error) verdict {
	v := verdict{err: err}
	if pe := (*ProduceError)(nil); errors.As(err, &pe) {
		v.code = KafkaError(pe.Code)
		v.renew = pe.Attempts > 0
	}
	switch v.code {
	case ProducerFenced:
		v.fatal = true
		v.err = andAlso{err, ErrFenced}
	case TransactionalIDAuthorizationFailed, ClusterAuthorizationFailed:
		v.fatal = true
	}
	return v
}
