package kringtest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
)

// TestDeadline: one that has passed is refused, one that has not changes nothing.
func TestDeadline(t *testing.T) {
	onBoth(t, func(t *testing.T, p kringtest.Producer) {
		r := order(1)
		r.Deadline = time.Now().Add(time.Minute)
		if d, err := p.ProduceSync(soon(t), r); err != nil || d.Offset != 0 {
			t.Errorf("%+v, %v", d, err)
		}
		r.Deadline = time.Now()
		for name, err := range map[string]error{
			"Produce":    p.Produce(soon(t), r, func(d kring.Delivery) { t.Errorf("callback: %+v", d) }),
			"TryProduce": p.TryProduce(r, nil),
		} {
			if !errors.Is(err, kring.ErrRecordDeadline) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestDeadlineEndsTheWaitForRoom of a Recorder that is full.
func TestDeadlineEndsTheWaitForRoom(t *testing.T) {
	noLeaks(t)
	p := kringtest.NewRecorder(t, kringtest.Capacity(1))
	p.Hold()
	r := order(1)
	if err := p.Produce(soon(t), r, nil); err != nil {
		t.Fatal(err)
	}
	r.Deadline = time.Now().Add(50 * time.Millisecond)
	if err := p.Produce(soon(t), r, nil); !errors.Is(err, kring.ErrRecordDeadline) || time.Now().Before(r.Deadline) {
		t.Errorf("%v", err)
	}
	p.Release()
}
