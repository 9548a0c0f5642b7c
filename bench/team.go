package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// team is the clients of a run: one, unless --producers asks for more. Sender i
// has client i modulo their number, for the whole run.
type team []Client

// newTeam starts them all, or none.
func newTeam(ctx context.Context, c *Config, lib Library, done Done) (team, error) {
	var t team
	for range max(c.Producers, 1) {
		client, err := lib.New(c.Settings, done)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("kbench: %s did not start: %w", lib.Name, err), t.Close(context.WithoutCancel(ctx)))
		}
		t = append(t, client)
	}
	return t, nil
}

// of is a sender's client, or the handle that it has there.
func (t team) of(sender int, c *Config) (to Handle, own bool) {
	client := t[sender%len(t)]
	if per, ok := client.(PerSender); ok && c.Mode != ModeOpen && c.Senders > 1 {
		if h := per.Sender(c.Senders, c.Partitions); h != nil {
			return h, true
		}
	}
	return client, false
}

// Flush returns when all are done.
func (t team) Flush(ctx context.Context) error { return t.each(ctx, Client.Flush) }

// Close releases all.
func (t team) Close(ctx context.Context) error { return t.each(ctx, Client.Close) }

// each asks all at once, so that they share the time that there is.
func (t team) each(ctx context.Context, f func(Client, context.Context) error) error {
	errs := make([]error, len(t))
	var group sync.WaitGroup
	for i, client := range t {
		group.Go(func() { errs[i] = f(client, ctx) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// serial says that no two completions of one sender run at once.
func (t team) serial() bool {
	for _, client := range t {
		if s, ok := client.(Serial); !ok || !s.CompletesSerially() {
			return false
		}
	}
	return true
}

// counts is what all have sent, if they know.
func (t team) counts() (requests, batches int64, known bool) {
	for _, client := range t {
		c, ok := client.(Counter)
		if !ok {
			return 0, 0, false
		}
		r, b := c.Counts()
		requests, batches = requests+r, batches+b
	}
	return requests, batches, true
}

// buffered is what all hold, if they know.
func (t team) buffered() (used, total int64) {
	for _, client := range t {
		c, ok := client.(Buffered)
		if !ok {
			return 0, 0
		}
		u, all := c.Buffered()
		used, total = used+u, total+all
	}
	return used, total
}
