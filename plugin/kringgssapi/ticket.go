package kringgssapi

import (
	"context"
	"errors"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ticket is what a login shows to a broker, and for whom it is made out.
type ticket struct {
	messages.Ticket
	key   types.EncryptionKey // that the KDC has made for both sides
	realm string
	user  types.PrincipalName
}

// ticket gets one from the KDC. gokrb5 knows no contexts: it gives up by its own
// time-outs, of 5 s for each KDC, and a login that ends before leaves it behind.
func (m *mechanism) ticket(ctx context.Context, service string) (*ticket, error) {
	type result struct {
		ticket *ticket
		err    error
	}
	done := make(chan result, 1)
	go func() {
		t, err := m.fetch(service)
		done <- result{t, err}
	}()
	select {
	case r := <-done:
		return r.ticket, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (m *mechanism) fetch(service string) (t *ticket, err error) {
	defer func() {
		if recover() != nil {
			t, err = nil, errors.New("a Kerberos file or an answer of the KDC is damaged")
		}
	}()
	c, err := m.open(m.settings)
	if err != nil {
		return nil, err
	}
	if !m.keep {
		defer c.Destroy() // ends its goroutine
	}
	return exchange(c, service)
}

func exchange(c *client.Client, service string) (*ticket, error) {
	// A client of a ticket cache has no key to log in with, and needs none.
	if c.Credentials.HasPassword() || c.Credentials.HasKeytab() {
		if err := c.AffirmLogin(); err != nil {
			return nil, explain(err)
		}
	}
	shown, key, err := c.GetServiceTicket(service)
	if err != nil {
		return nil, explain(err)
	}
	return &ticket{Ticket: shown, key: key, realm: c.Credentials.Domain(), user: c.Credentials.CName()}, nil
}
