package kring_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kring-go/kring"
)

// syncAll produces n records one after the other and wants each acked.
func syncAll(t *testing.T, p *kring.Producer, n int) {
	t.Helper()
	for i := range n {
		d, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0), Value: fmt.Append(nil, i)})
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		if d.Partition != 0 {
			t.Errorf("record %d: %+v", i, d)
		}
	}
}

// once answers the first request with answer and is honest afterwards.
func once(answer func(c *wireConn, q *wireRequest)) func(*wireBroker) {
	return func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) {
			if q.number == 1 {
				answer(c, q)
				return
			}
			c.accept(q)
		}
	}
}

// TestHostileFrames is C1, C2, C7 and C8: answers that are none end the
// connection, what was in flight is sent again on the next one, and no record
// gets a wrong outcome.
func TestHostileFrames(t *testing.T) {
	frame := func(length int32, rest string) func(*wireConn, *wireRequest) {
		return func(c *wireConn, _ *wireRequest) {
			c.write(append(binary.BigEndian.AppendUint32(nil, uint32(length)), rest...))
		}
	}
	for name, answer := range map[string]func(*wireConn, *wireRequest){
		"length -1":            frame(-1, ""),
		"length -2^31":         frame(-1<<31, ""),
		"length 0":             frame(0, ""),
		"length 3":             frame(3, "abc"),
		"length 100 MiB + 1":   frame(100<<20+1, ""),
		"length 2^31-1":        frame(1<<31-1, "x"),
		"HTTP":                 func(c *wireConn, _ *wireRequest) { c.write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
		"TLS alert":            func(c *wireConn, _ *wireRequest) { c.write([]byte{0x15, 3, 1, 0, 2, 2, 40}) },
		"unknown correlation":  func(c *wireConn, q *wireRequest) { c.answer(q.correlation+17, c.b.success(q)) },
		"earlier correlation":  func(c *wireConn, q *wireRequest) { c.answer(q.correlation-1, c.b.success(q)) },
		"negative correlation": func(c *wireConn, q *wireRequest) { c.answer(-q.correlation, c.b.success(q)) },
		"only a correlation":   func(c *wireConn, q *wireRequest) { c.write([]byte{0, 0, 0, 4, 0, 0, 0, byte(q.correlation)}) },
		"no topics":            func(c *wireConn, q *wireRequest) { c.answer(q.correlation, q.ResponseKind()) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newWireBroker(t, once(answer))
			p := caseProducer(t, []string{b.addr()}, kring.RequestTimeout(5*time.Second))
			syncAll(t, p, 2)
			seen := b.seen()
			if len(seen) != 3 || string(seen[0].raw) != string(seen[1].raw) {
				t.Errorf("%d batches came, want 3, the second like the first", len(seen))
			}
			if d := p.Stats().Disconnects; name != "no topics" && d != 1 {
				t.Errorf("%d disconnects, want 1", d)
			}
		})
	}
	t.Run("answered twice", func(t *testing.T) {
		b := newWireBroker(t, once(func(c *wireConn, q *wireRequest) {
			resp := c.b.success(q)
			c.answer(q.correlation, resp)
			c.answer(q.correlation, resp)
		}))
		syncAll(t, caseProducer(t, []string{b.addr()}), 5)
	})
	t.Run("answer to acks=0", func(t *testing.T) {
		b := newWireBroker(t, func(b *wireBroker) {
			b.produce = func(c *wireConn, q *wireRequest) { c.answer(q.correlation, c.b.success(q)) }
		})
		p := caseProducer(t, []string{b.addr()}, kring.RequireAcks(kring.AcksNone))
		syncAll(t, p, 20)
		until(t, "the broker has seen some", func() bool { return len(b.seen()) > 0 })
	})
}

// TestClaimedLength is C2: memory grows with what arrives, not with what is
// claimed, and the request timeout ends the wait.
func TestClaimedLength(t *testing.T) {
	b := newWireBroker(t, once(func(c *wireConn, _ *wireRequest) { c.write([]byte{6, 0x30, 0, 0}) })) // 99 MiB
	p := caseProducer(t, []string{b.addr()}, kring.RequestTimeout(200*time.Millisecond))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	syncAll(t, p, 1)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes allocated for a claim of 99 MiB", n)
	}
}

// TestEveryTruncation is C5: the answer to request k ends after k bytes, in a
// frame of the right length.
func TestEveryTruncation(t *testing.T) {
	for _, version := range []int16{3, 8, 9, 12, 13} {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			var size atomic.Int64
			b := newWireBroker(t, func(b *wireBroker) {
				b.apis = capProduce(version)
				b.produce = func(c *wireConn, q *wireRequest) {
					out := encodeAnswer(q.correlation, c.b.success(q))
					size.Store(int64(len(out)))
					if k := 7 + q.number; k < len(out) {
						out = out[:k]
						binary.BigEndian.PutUint32(out, uint32(k-4))
					}
					c.write(out)
				}
			})
			p := caseProducer(t, []string{b.addr()}, kring.RetryBackoff(0, 0), kring.ReconnectBackoff(0, 0))
			syncAll(t, p, 1)
			if n := b.count(0); int64(n) != size.Load()-7 {
				t.Errorf("%d attempts; the answer has %d bytes, and only whole ones count", n, size.Load())
			}
		})
	}
}

func capProduce(version int16) func(*kmsg.ApiVersionsResponse) {
	return func(r *kmsg.ApiVersionsResponse) { r.ApiKeys[0].MaxVersion = version }
}

// TestEveryByteWrong is C3, C4 and C6: one field of the answer is replaced, at
// every place: lengths and counts that are negative, huge or too small. Each
// record gets one outcome, and nothing is allocated on a lie's behalf.
func TestEveryByteWrong(t *testing.T) {
	for _, bad := range [][]byte{{0xff, 0xff, 0xff, 0xff, 0x0f}, {0x7f, 0xff, 0xff, 0xff}, {0xff}, {0}, {0xff, 0xfe}} {
		for _, version := range []int16{8, 13} {
			t.Run(fmt.Sprintf("v%d/%x", version, bad), func(t *testing.T) {
				var size atomic.Int64
				b := newWireBroker(t, func(b *wireBroker) {
					b.apis = capProduce(version)
					b.produce = func(c *wireConn, q *wireRequest) {
						out := encodeAnswer(q.correlation, c.b.success(q))
						size.Store(int64(len(out)))
						if k := 7 + q.number; k < len(out) {
							copy(out[k:], bad)
						}
						c.write(out)
						_ = c.nc.Close() // a throttle that was made up must not last
					}
				})
				p := caseProducer(t, []string{b.addr()}, kring.RetryBackoff(0, 0), kring.ReconnectBackoff(0, 0),
					kring.RequestTimeout(500*time.Millisecond), kring.DeliveryTimeout(600*time.Millisecond))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				got := newOutcomes()
				n := 0
				for ; n == 0 || int64(b.count(0)) < size.Load()-8; n++ {
					if err := p.Produce(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)}, got.take); err != nil {
						t.Fatal(err)
					}
					got.wait(t, n+1)
				}
				runtime.ReadMemStats(&after)
				if a := after.TotalAlloc - before.TotalAlloc; a > uint64(b.count(0))*1<<20 {
					t.Errorf("%d bytes allocated in %d requests", a, b.count(0))
				}
				if err := p.Flush(patient(t)); err != nil || len(got.all()) != n {
					t.Errorf("%d outcomes for %d records; %v", len(got.all()), n, err)
				}
			})
		}
	}
}

// TestSwappedAnswers is C7: two answers come in the wrong order.
func TestSwappedAnswers(t *testing.T) {
	var waiting *wireRequest
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) {
			switch {
			case q.number == 2:
				waiting = q
			case q.number == 3:
				c.accept(q)
				c.accept(waiting)
			default:
				c.accept(q)
			}
		}
	})
	p := caseProducer(t, []string{b.addr()}, oneByOne())
	got := newOutcomes()
	produceTags(t, p, 0, 0, 1, got)
	got.wait(t, 1)
	produceTags(t, p, 0, 1, 10, got)
	for i, d := range got.wait(t, 11) {
		if d.Err != nil || d.Tag != uint64(i) {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	if p.Stats().Disconnects != 1 {
		t.Errorf("%d disconnects, want 1", p.Stats().Disconnects)
	}
}

// TestUnknownTags is C9: fields from the future are skipped.
func TestUnknownTags(t *testing.T) {
	b := newWireBroker(t, func(b *wireBroker) {
		b.produce = func(c *wireConn, q *wireRequest) {
			resp := c.b.success(q)
			resp.UnknownTags.Set(77, []byte("future"))
			resp.Topics[0].UnknownTags.Set(1<<30, make([]byte, 1000))
			resp.Topics[0].Partitions[0].UnknownTags.Set(5, nil)
			c.answer(q.correlation, resp)
		}
	})
	p := caseProducer(t, []string{b.addr()})
	syncAll(t, p, 3)
	if n := b.count(0); n != 3 {
		t.Errorf("%d requests for 3 records", n)
	}
}

// TestThrottleLies is C18: a negative throttle is none, and a huge one is
// bounded: the records end by their own timeout.
func TestThrottleLies(t *testing.T) {
	for _, ms := range []int32{-1, -1 << 31, 1<<31 - 1} {
		t.Run(fmt.Sprint(ms), func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				b.produce = func(c *wireConn, q *wireRequest) {
					resp := c.b.success(q)
					resp.ThrottleMillis = ms
					c.answer(q.correlation, resp)
				}
			})
			p := caseProducer(t, []string{b.addr()}, kring.RequestTimeout(200*time.Millisecond), kring.DeliveryTimeout(300*time.Millisecond))
			syncAll(t, p, 1)
			if ms < 0 {
				syncAll(t, p, 3)
				return
			}
			_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t", Partition: kring.On(0)})
			checkText(t, err, kring.ErrDeliveryTimeout, "never sent", "not in the log")
		})
	}
}

// TestDrip is C19: an answer of one byte now and then is no answer.
func TestDrip(t *testing.T) {
	b := newWireBroker(t, once(func(c *wireConn, q *wireRequest) {
		tick := time.NewTicker(60 * time.Millisecond)
		defer tick.Stop()
		for _, x := range encodeAnswer(q.correlation, c.b.success(q)) {
			<-tick.C
			if _, err := c.nc.Write([]byte{x}); err != nil {
				return
			}
		}
	}))
	p := caseProducer(t, []string{b.addr()}, kring.RequestTimeout(300*time.Millisecond))
	syncAll(t, p, 2)
	if p.Stats().Disconnects != 1 {
		t.Errorf("%d disconnects, want 1", p.Stats().Disconnects)
	}
}

// TestAPIVersionsLies is C10: what a broker may say of itself.
func TestAPIVersionsLies(t *testing.T) {
	for name, apis := range map[string]func(*kmsg.ApiVersionsResponse){
		"unsupported, for ever": func(r *kmsg.ApiVersionsResponse) { r.Version, r.ErrorCode = 0, 35 },
		"empty":                 func(r *kmsg.ApiVersionsResponse) { r.ApiKeys = nil },
		"min above max":         func(r *kmsg.ApiVersionsResponse) { r.ApiKeys[0].MinVersion, r.ApiKeys[0].MaxVersion = 9, 3 },
		"no Produce":            func(r *kmsg.ApiVersionsResponse) { r.ApiKeys = r.ApiKeys[1:] },
		"Produce of the past":   func(r *kmsg.ApiVersionsResponse) { r.ApiKeys[0].MinVersion, r.ApiKeys[0].MaxVersion = 0, 2 },
		"Produce of the future": func(r *kmsg.ApiVersionsResponse) { r.ApiKeys[0].MinVersion, r.ApiKeys[0].MaxVersion = 90, 99 },
	} {
		t.Run(name, func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) { b.apis = apis })
			p := caseProducer(t, []string{b.addr()}, kring.MaxBlock(300*time.Millisecond),
				kring.RequestTimeout(200*time.Millisecond), kring.DeliveryTimeout(300*time.Millisecond))
			_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
			if err == nil || !strings.Contains(err.Error(), b.addr()) {
				t.Errorf("error: %v", err)
			}
			if n := b.count(18); n > 200 {
				t.Errorf("%d ApiVersions requests", n)
			}
			if b.count(0) != 0 {
				t.Error("a Produce request was sent")
			}
		})
	}
}

// TestNoTopicIDs is C11: a broker advertises a Produce version with topic ids,
// and a Metadata version without. No request has an id that is zero.
func TestNoTopicIDs(t *testing.T) {
	for name, script := range map[string]func(*wireBroker){
		"old Metadata": func(b *wireBroker) {
			b.apis = func(r *kmsg.ApiVersionsResponse) { r.ApiKeys[1].MaxVersion = 9 }
		},
		"ids that are zero": func(b *wireBroker) {
			b.metadata = func(_ *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) { resp.Topics[0].TopicID = [16]byte{} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newWireBroker(t, script)
			p := caseProducer(t, []string{b.addr()})
			syncAll(t, p, 3)
			for _, x := range b.seen() {
				if x.topic != "t" || x.topicID != [16]byte{} {
					t.Errorf("a batch for topic %q, id %x", x.topic, x.topicID)
				}
			}
		})
	}
}

// TestProducerIDLies is C15: an identity that is none never reaches the wire.
func TestProducerIDLies(t *testing.T) {
	for _, id := range []struct {
		id    int64
		epoch int16
	}{{-1, 0}, {5, -1}, {5, 32767}, {-1 << 63, -1 << 15}} {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			b := newWireBroker(t, func(b *wireBroker) {
				b.identity = func(int) (int64, int16, int16) { return id.id, id.epoch, 0 }
			})
			p := caseProducer(t, []string{b.addr()})
			_, err := p.ProduceSync(patient(t), kring.Record{Topic: "t"})
			if err == nil || !strings.Contains(err.Error(), "producer id") || !strings.Contains(err.Error(), "not in the log") {
				t.Errorf("error: %v", err)
			}
			if len(b.seen()) != 0 {
				t.Error("a batch was sent")
			}
		})
	}
}
