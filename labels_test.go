package kring_test

import (
	"bytes"
	"context"
	"regexp"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench/broker"
)

// TestLabels: a profile tells what the producer's goroutines are for, and no
// label of whoever made the producer is among them.
func TestLabels(t *testing.T) {
	b := caseBroker(t, broker.Config{})
	var p *kring.Producer
	pprof.Do(t.Context(), pprof.Labels("request", "of-the-caller"), func(context.Context) {
		var err error
		p, err = kring.New(quick(b.Addrs(), kring.ClientID("shop"), kring.CompletionLanes(2), kring.Compression(kring.LZ4))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Value: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	})
	defer closeEmpty(t, p)
	want := []string{
		`"kring":"completion", "kring_client":"shop", "kring_lane":"0"`,
		`"kring":"completion", "kring_client":"shop", "kring_lane":"1"`,
		`"kring":"timer", "kring_client":"shop"`,
		`"kring":"metadata", "kring_client":"shop"`,
		`"kring":"compression", "kring_client":"shop"`,
		`"kring":"broker", "kring_broker":"-1", "kring_client":"shop"`,
	}
	readers := regexp.MustCompile(`"kring":"reader", "kring_broker":"\d+", "kring_client":"shop"`)
	var last string
	until(t, "every label", func() bool {
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			t.Fatal(err)
		}
		last = profile.String()
		for _, w := range want {
			if !strings.Contains(last, w) {
				return false
			}
		}
		return readers.MatchString(last)
	})
	if strings.Contains(last, "of-the-caller") {
		t.Errorf("the producer's goroutines have the caller's label:\n%s", last)
	}
}
