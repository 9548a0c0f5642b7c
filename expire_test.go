package kring_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestExpiredInFlightAndStored: the callback is told while the request is still
// out. Its answer, which comes later, says that the sequence is unbroken: what
// follows goes on under the same epoch.
func TestExpiredInFlightAndStored(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	hold := make(chan struct{})
	const limit = 2 * time.Second
	b.SetHook(func(info *broker.ProduceInfo) broker.Action {
		switch info.Request {
		case 1: // makes the batch old, while the request of its second attempt is young
			act := refuse(kring.NotEnoughReplicas)
			act.WaitAnswer = limit * 3 / 4
			return act
		case 2:
			return broker.Action{Stall: hold}
		}
		return broker.Action{}
	})
	h := &told{}
	p := hooked(t, b, []kring.Hook{h}, kring.RequestTimeout(limit), kring.DeliveryTimeout(limit))
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	d := got.wait(t, 1)[0]
	if pe := produceError(t, d); !errors.Is(d.Err, kring.ErrDeliveryTimeout) || pe.Certainty != kring.PossiblyPersisted {
		t.Errorf("%+v", d)
	}
	close(hold)
	produceTags(t, p, 0, 1, 1, got)
	next := got.wait(t, 2)[1]
	closeEmpty(t, p)
	if p.Stats().Disconnects > 0 {
		t.Skip("the machine was so slow that the request timed out too")
	}
	if s := p.Stats(); next.Err != nil || next.Offset != 1 || s.EpochBumps != 0 {
		t.Errorf("next record: %+v, %d new epochs", next, s.EpochBumps)
	}
	batches, answers := eventsOf[kring.BatchFinished](h), eventsOf[kring.RequestAnswered](h)
	if len(batches) != 2 || batches[0].Attempts != 2 || !errors.Is(batches[0].Err, kring.ErrDeliveryTimeout) {
		t.Errorf("batches: %+v", batches)
	}
	if len(answers) != 3 || answers[1].Records != 1 || answers[1].Err != nil {
		t.Errorf("answers: %+v", answers)
	}
}
