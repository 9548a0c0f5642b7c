package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// TLS returns a Config.Handshake that speaks TLS. source is called for every
// connection, so that certificates can be replaced; what it returns is not
// changed. The broker's certificate must be for the host that was dialled,
// unless the tls.Config names another ServerName.
func TLS(source func() (*tls.Config, error)) func(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
	return func(ctx context.Context, conn net.Conn, host string) (net.Conn, error) {
		base, err := source()
		if err != nil {
			return nil, err
		}
		config := base.Clone()
		if config.ServerName == "" {
			config.ServerName = host // crypto/tls ignores the dot of a complete name
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, tlsFault{err}
		}
		return secured, nil
	}
}

// tlsFault is an error of the TLS handshake, as opposed to one of what it needs
// beforehand, such as a file that can not be read.
type tlsFault struct{ error }

func (f tlsFault) Unwrap() error { return f.error }

// handshakeFault tells apart what may go away by itself and what will not.
func handshakeFault(err error, address string, limit time.Duration) error {
	fault := tlsFault{}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &timeoutError{what: "no end of the handshake", after: limit}
	case !errors.As(err, &fault):
		return fmt.Errorf("handshake: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("the broker closed the connection during the TLS handshake; "+
			"is this a PLAINTEXT or SASL_PLAINTEXT listener? (%w)", fault.error)
	case isNetworkTrouble(err):
		return fmt.Errorf("TLS handshake: %w", fault.error)
	}
	return tlsRefusal(fault.error, address)
}

// isNetworkTrouble is true for errors of the connection below TLS. crypto/tls
// uses the same type for alerts, with operations of its own.
func isNetworkTrouble(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op != remoteAlert && op.Op != localAlert
	}
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Operations of the net.OpErrors that are alerts.
const (
	remoteAlert = "remote error"
	localAlert  = "local error"
)

// tlsRefusal says who refused whom, and what to do.
func tlsRefusal(err error, address string) error {
	refused := &AuthError{Address: address, Mechanism: "TLS", Err: err, Reason: printable(err.Error())}
	var (
		op        *net.OpError
		record    tls.RecordHeaderError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &record):
		refused.Reason = "the other side does not answer in TLS"
		refused.Advice = "use the port of an SSL or SASL_SSL listener, or security.protocol=PLAINTEXT or SASL_PLAINTEXT for this one"
	case errors.As(err, &name):
		refused.Advice = "connect by a name that is in the broker's certificate, or add this one to its subject alternative names " +
			"(brokers are named by advertised.listeners after the first contact)"
	case errors.As(err, &authority):
		refused.Advice = "name the authority that signed the broker's certificate (TLSFiles, ssl.truststore.location)"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		refused.Advice = "renew the broker's certificate, or correct the clock of this machine"
	case errors.As(err, &invalid):
		refused.Advice = "the broker needs a certificate for TLS servers that is signed by a trusted authority"
	case errors.As(err, &op) && op.Op == remoteAlert:
		refused.Reason = "the broker refuses with an alert: " + printable(op.Err.Error())
		refused.Advice = "if it wants a client certificate, give one that its truststore trusts (TLSFiles, ssl.keystore.*); " +
			"otherwise compare the TLS versions and cipher suites of both sides"
	default:
		refused.Advice = "compare the TLS versions and certificates of both sides"
	}
	return refused
}

// lateAlert recognises a client certificate that is refused: in TLS 1.3 the
// handshake is over for the client by then, and the alert comes in place of the
// first answer.
func lateAlert(err error, address string) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == remoteAlert {
		return tlsRefusal(op, address)
	}
	return err
}
