package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// ErrClosed reports a call on a Client or Link that was closed, or a Link whose
// connection was detached.
var ErrClosed = errors.New("cluster client closed")

// ErrNoProducerID reports that a broker cannot hand out producer ids, so that
// idempotence is not to be had from it.
var ErrNoProducerID = errors.New("the broker does not support InitProducerId, which idempotence needs " +
	"(Kafka 0.11 or later); disable idempotence (enable.idempotence=false) to use it")

// Kafka error codes that this package acts upon. The root has the full table.
const (
	codeUnknownServer        = -1
	codeNone                 = 0
	codeRequestTimedOut      = 7
	codeNetworkException     = 13
	codeCoordinatorLoading   = 14
	codeCoordinatorMissing   = 15
	codeNotCoordinator       = 16
	codeUnsupportedVersion   = 35
	codeUnsupportedMechanism = 33
	codeIllegalSaslState     = 34
	codeNotController        = 41
	codeConcurrentTxns       = 51
	codeThrottlingQuota      = 89
	codeRebootstrapRequired  = 129
	codeClusterAuthorization = 31
	codeAuthenticationFailed = 58
	codeUnknownTopic         = 3
	codeNotAttempted         = 55
)

// CodeError is a broker's answer that carries a Kafka error code.
type CodeError struct {
	Code    int16
	Context string // the request and the broker that refused it
}

func (e *CodeError) Error() string {
	return fmt.Sprintf("%s: Kafka error code %d%s", e.Context, e.Code, codeHint(e.Code))
}

func codeHint(code int16) string {
	switch code {
	case codeCoordinatorLoading, codeCoordinatorMissing, codeNotCoordinator:
		return " (the coordinator is not available yet)"
	case codeClusterAuthorization:
		return " (not authorized for idempotent writes on this cluster)"
	case codeUnsupportedVersion:
		return " (unsupported version)"
	case codeRebootstrapRequired:
		return " (rebootstrap required)"
	}
	return ""
}

// ProtocolError reports bytes that are not what a Kafka broker sends. The
// connection they came over is closed.
type ProtocolError struct {
	Address string
	Reason  string
}

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("%s does not answer like a Kafka broker: %s", e.Address, e.Reason)
}

// VersionError reports a broker without any version of a request that this
// client can speak.
type VersionError struct {
	Address string
	Reason  string
}

func (e *VersionError) Error() string { return e.Address + ": " + e.Reason }

// Attempt is one broker that was tried and why it did not do.
type Attempt struct {
	Address string
	Err     error
}

// UnreachableError reports a pass over all brokers in which none answered. It
// unwraps to the errors of the attempts.
type UnreachableError struct {
	Attempts []Attempt
}

func (e *UnreachableError) Error() string {
	addresses := make([]string, len(e.Attempts))
	for i, attempt := range e.Attempts {
		addresses[i] = attempt.Address
	}
	what := "answered"
	if wrong := (*WrongClusterError)(nil); errors.As(e, &wrong) {
		what = "will do"
	}
	if auth := (*AuthError)(nil); errors.As(e, &auth) {
		what = "lets this client in"
	}
	return fmt.Sprintf("no broker of %s %s: %s; %s",
		strings.Join(addresses, ", "), what, describe(e.Attempts), advice(e.Attempts))
}

// Unwrap returns the errors of the attempts, for errors.Is and errors.As.
func (e *UnreachableError) Unwrap() []error {
	errs := make([]error, len(e.Attempts))
	for i, attempt := range e.Attempts {
		errs[i] = attempt.Err
	}
	return errs
}

// describe lists the causes of attempts; the addresses only where there are
// several, since the sentence around it names them.
func describe(attempts []Attempt) string {
	if len(attempts) == 1 {
		return cause(attempts[0].Err)
	}
	parts := make([]string, len(attempts))
	for i, attempt := range attempts {
		parts[i] = attempt.Address + ": " + cause(attempt.Err)
	}
	return strings.Join(parts, "; ")
}

// cause is err in a few words, without the layers that repeat the address.
func cause(err error) string {
	var (
		errno    syscall.Errno
		dns      *net.DNSError
		protocol *ProtocolError
		version  *VersionError
		auth     *AuthError
		wrong    *WrongClusterError
	)
	switch {
	case errors.As(err, &auth):
		return auth.what()
	case errors.As(err, &wrong):
		return wrong.what()
	case errors.As(err, &protocol):
		return "does not answer like a Kafka broker: " + protocol.Reason
	case errors.As(err, &version):
		return version.Reason
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("host name %s is unknown", dns.Name)
	case errors.As(err, &errno):
		return errno.Error()
	default:
		return err.Error()
	}
}

// advice is what the user can do about the first attempt that gives a hint.
func advice(attempts []Attempt) string {
	for _, attempt := range attempts {
		var (
			dns      *net.DNSError
			protocol *ProtocolError
			version  *VersionError
			auth     *AuthError
			wrong    *WrongClusterError
		)
		switch err := attempt.Err; {
		case errors.As(err, &auth):
			return auth.Advice
		case errors.As(err, &wrong):
			return wrong.advice()
		case errors.As(err, &protocol):
			return "check that the address is a listener of a Kafka broker for this protocol (PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL)"
		case errors.As(err, &version):
			return "check the version of the broker"
		case errors.As(err, &dns):
			return "check the host name and the name server"
		case errors.Is(err, os.ErrDeadlineExceeded):
			return "check that this machine can reach it (route, firewall) and that the broker is not stalled"
		case errors.Is(err, syscall.EMFILE):
			return "raise the limit on open files"
		}
	}
	return "check that the address is right and that the broker is running"
}
