package sasl

import "errors"

// ErrRefused marks an error of Mechanism.Start or of a TokenSource for which
// waiting is no cure: whoever gives out the credentials refuses this client.
// Such a login counts as one that a broker has refused, so Produce says so at
// once, and attempts are seconds apart.
var ErrRefused = errors.New("the credentials were refused")

// Refused is a Conversation that ends before its first word, for the Start of a
// mechanism whose credentials somebody other than the broker has refused. An
// error of Start itself is taken for temporary.
func Refused(err error) Conversation { return refused{err} }

type refused struct{ err error }

func (r refused) Step([]byte) ([]byte, error) { return nil, r.err }
