package kringgssapi

import (
	"fmt"
	"strings"

	"github.com/jcmturner/gokrb5/v8/krberror"

	"github.com/kring-go/kring/sasl"
)

// explain tells a KDC that refuses from one that is not there, or not well.
// gokrb5 names the root cause and the KDC's code in its texts everywhere, and in
// its types not.
func explain(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "[Root cause: "+krberror.NetworkingError+"]"):
		return fmt.Errorf("no KDC answers: %w", err)
	case strings.Contains(text, "KDC_ERR_SVC_UNAVAILABLE"):
		return fmt.Errorf("the KDC can not answer now: %w", err)
	}
	return fmt.Errorf("%w: %s: %w", sasl.ErrRefused, advice(text), err)
}

// advice says what to do about a refusal. It stands before gokrb5's text, which is
// long, and cut where a text of a stranger would be.
func advice(text string) string {
	for _, known := range []struct{ part, advice string }{
		{"KDC_ERR_PREAUTH_FAILED", "the password is wrong, or the keytab is older than the last change of the keys"},
		{"KDC_ERR_C_PRINCIPAL_UNKNOWN", "the KDC does not know the principal"},
		{"KDC_ERR_S_PRINCIPAL_UNKNOWN", "the KDC does not know the broker by this name; check ServiceName, and the host that is dialled"},
		{"KDC_ERR_CLIENT_REVOKED", "the principal is locked"},
		{"KDC_ERR_NAME_EXP", "the principal has ended"},
		{"KDC_ERR_KEY_EXPIRED", "the principal's password has ended"},
		{"KRB_AP_ERR_SKEW", "the clock of this machine and the KDC's differ too much"},
		{"clock skew", "the clock of this machine and the KDC's differ too much"},
		{"no valid existing session", "the ticket in the cache has ended; run kinit"},
		{"matching key not found", "the keytab has no key of the principal and of a type that krb5.conf and the KDC agree on"},
		{krberror.DecryptingError, "the password is wrong, or the keytab has other keys than the KDC"},
	} {
		if strings.Contains(text, known.part) {
			return known.advice
		}
	}
	return "check the principal, its keytab or password, the clock, and that the broker's principal exists"
}
