package kring

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTransactionConfig: an id needs what transactions need, and it is refused
// where an idempotent producer would only give way.
func TestTransactionConfig(t *testing.T) {
	id := TransactionalID("orders-1")
	fromProperties := func(p map[string]string) Option {
		o, err := FromProperties(p)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	tests := []struct {
		name string
		opts []Option
		want []string // of the problems, one each; none: valid
	}{
		{"no id", nil, nil},
		{"an id", []Option{id}, nil},
		{"everything explicit", []Option{id, EnableIdempotence(), RequireAcks(AcksAll), Retries(3), TransactionTimeout(time.Second)}, nil},
		{"as properties", []Option{fromProperties(map[string]string{"transactional.id": "t", "transaction.timeout.ms": "5000"})}, nil},
		{"empty id", []Option{TransactionalID("")}, []string{`TransactionalID(""): must be UTF-8, not empty`}},
		{"long id", []Option{TransactionalID(strings.Repeat("x", 1<<15))}, []string{"at most 32767 bytes"}},
		{"not UTF-8", []Option{TransactionalID("\xff")}, []string{"must be UTF-8"}},
		{"no idempotence", []Option{id, DisableIdempotence()}, []string{`DisableIdempotence() contradicts TransactionalID("orders-1"): transactions need idempotence`}},
		{"acks", []Option{id, RequireAcks(AcksLeader)}, []string{"RequireAcks(1) contradicts TransactionalID(\"orders-1\"): transactions need acks=all"}},
		{"retries", []Option{id, Retries(0)}, []string{"transactions need retries"}},
		{"in flight", []Option{id, MaxInFlight(6)}, []string{"at most 5 with idempotence"}},
		{"timeout", []Option{TransactionTimeout(0)}, []string{"TransactionTimeout(0s): must be at least 1ms"}},
		{"long timeout", []Option{id, TransactionTimeout(longestTime + 1)}, []string{"must be at most"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c, err := newConfig(append([]Option{Brokers("h:1")}, tc.opts...))
			if len(tc.want) == 0 {
				if err != nil {
					t.Fatal(err)
				}
				if want := slices.ContainsFunc(tc.opts, func(Option) bool { return true }); c.transactional() != want || want && !c.idempotence {
					t.Errorf("transactional %v, want %v; idempotence %v", c.transactional(), want, c.idempotence)
				}
				return
			}
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.want) || !strings.Contains(lines[0], tc.want[0]) || !errors.Is(err, ErrConfig) {
				t.Errorf("%q, want %q", lines, tc.want)
			}
		})
	}
}

// TestGate: who is inside is counted, nobody enters while it is shut, and the
// last one to leave says so.
func TestGate(t *testing.T) {
	var g gate
	g.init()
	if g.enter() {
		t.Fatal("entered a gate that was never opened")
	}
	g.open()
	if first, second := g.enter(), g.enter(); !first || !second {
		t.Fatal("an open gate lets nobody in")
	}
	g.shut()
	if g.enter() {
		t.Error("entered a shut gate")
	}
	g.leave()
	select {
	case <-g.left: // a token may be left over, but never be missing
	default:
	}
	if g.empty() {
		t.Error("empty with one inside")
	}
	g.leave()
	select {
	case <-g.left:
	default:
		t.Error("the last one left without a word")
	}
	if !g.empty() {
		t.Error("not empty after the last one left")
	}
	g.open()
	if !g.enter() {
		t.Error("the gate does not open again")
	}
}

// TestTransactionErrors: what each error of a transaction matches and says.
func TestTransactionErrors(t *testing.T) {
	fenced := fatal("CommitTransaction", andAlso{errors.New("code"), ErrFenced})
	for _, tc := range []struct {
		err  error
		is   []error
		not  []error
		text string
	}{
		{abortable("SendOffsets", ErrMaxBlock), []error{ErrTransactionAbortable, ErrMaxBlock}, []error{ErrTransactionFatal}, "kring: SendOffsets: gave up waiting after MaxBlock; call AbortTransaction"},
		{fenced, []error{ErrTransactionFatal, ErrFenced}, []error{ErrTransactionAbortable, ErrTransactionUnknown}, "a newer producer has the same transactional id"},
		{unknown("CommitTransaction", ErrMaxBlock), []error{ErrTransactionUnknown}, []error{ErrTransactionState}, "call CommitTransaction again, or InitTransactions"},
		{misplaced("Produce", "call BeginTransaction first"), []error{ErrTransactionState}, []error{ErrTransactionAbortable}, "kring: Produce: call BeginTransaction first"},
	} {
		for _, target := range tc.is {
			if !errors.Is(tc.err, target) {
				t.Errorf("%q does not match %q", tc.err, target)
			}
		}
		for _, target := range tc.not {
			if errors.Is(tc.err, target) {
				t.Errorf("%q matches %q", tc.err, target)
			}
		}
		if !strings.Contains(tc.err.Error(), tc.text) || strings.Contains(tc.err.Error()[6:], "kring:") {
			t.Errorf("%q, want it to contain %q and one prefix", tc.err, tc.text)
		}
	}
}
