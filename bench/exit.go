package bench

import "errors"

// The exit codes of kbench.
const (
	ExitOK          = 0
	ExitRuntime     = 1   // unreachable, or records failed
	ExitUsage       = 2   // flags, properties, a folder that can not be written
	ExitSLO         = 3   // --slo was breached
	ExitVerify      = 4   // records lost, duplicated, reordered or corrupt
	ExitInvalid     = 5   // the measurement says nothing about the client
	ExitSkipped     = 6   // the client is not available here
	ExitInterrupted = 130 // the result is partial
)

// codedError is an error that knows its exit code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// UsageError marks err as the user's to correct.
func UsageError(err error) error { return coded(ExitUsage, err) }

// SkippedError marks err as a client that is not available here.
func SkippedError(err error) error { return coded(ExitSkipped, err) }

func coded(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code: code, err: err}
}

// ExitCode is how the program ends, given what Execute returned. A result that
// is both late and wrong reports what is worse.
func ExitCode(r *Result, allowErrors bool, err error) int {
	var c *codedError
	switch {
	case errors.As(err, &c):
		return c.code
	case err != nil:
		return ExitRuntime
	case r == nil:
		return ExitOK
	case r.Partial:
		return ExitInterrupted
	case r.Verify.Failed():
		return ExitVerify
	case !allowErrors && r.Totals.Failed+r.Totals.Rejected+r.Totals.Unresolved > 0:
		return ExitRuntime
	case r.SLO != nil && !r.SLO.Met:
		return ExitSLO
	case !r.Valid:
		return ExitInvalid
	}
	return ExitOK
}
