package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// This file runs what the caller gave: dialler, login, and the callbacks of a
// tls.Config. It runs on goroutines of this client, where a panic would end the
// program, and it may not hear of the end of its context.

// guestPatience is what a guest gets after the end of its context, to say why
// it ended.
const guestPatience = time.Second

// guest runs a function of the caller's on a goroutine of its own. One that
// does not return with its context is left behind, and late is told what it
// returns in the end.
func guest[T any](ctx context.Context, what string, run func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	out := make(chan result, 1) // room for the one result, whoever is there to take it
	go func() {
		r := result{err: fmt.Errorf("%s ended its goroutine", what)} // runtime.Goexit
		defer func() { out <- r }()
		r.err = calmly(what, func() (err error) { r.value, err = run(); return err })
	}()
	select {
	case r := <-out:
		return r.value, r.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(guestPatience)
	defer patience.Stop()
	select {
	case r := <-out:
		return r.value, r.err
	case <-patience.C:
	}
	go func() {
		if r := <-out; r.err == nil {
			late(r.value)
		}
	}()
	var none T
	return none, fmt.Errorf("%s does not return: %w", what, context.Cause(ctx))
}

// calmly makes an error of a panic.
func calmly(what string, run func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s panicked: %v", what, v)
		}
	}()
	return run()
}

var errNoConn = errors.New("the dialler returned neither a connection nor an error")
