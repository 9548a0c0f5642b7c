package guides

import (
	"sync/atomic"
	"testing"

	"github.com/kring-go/kring/kringtest"
)

// TestFresh: what is in time is delivered.
func TestFresh(t *testing.T) {
	c := kringtest.NewCluster(t)
	p := c.NewProducer()
	if err := p.Warmup(t.Context(), "quotes"); err != nil {
		t.Fatal(err)
	}
	var dropped atomic.Int64
	if err := fresh(t.Context(), p, []byte("KR"), []byte("1.25"), &dropped); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(c.Records("quotes", 0)); n+int(dropped.Load()) != 1 {
		t.Errorf("%d records in the log, %d dropped", n, dropped.Load())
	}
}
