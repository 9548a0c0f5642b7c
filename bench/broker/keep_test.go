package broker

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestLogHoldsWhatWasProduced(t *testing.T) {
	b := startTest(t, Config{Verify: VerifyFull})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	c.produceOne(b, "t", batchOf{count: 3, value: "first", producer: 4, epoch: 1, sequence: 1<<31 - 2}.bytes())
	c.produceOne(b, "t", batchOf{count: 2, value: "second"}.bytes())
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	if log.Start != 0 || log.End != 5 {
		t.Errorf("the log is [%d, %d), want [0, 5)", log.Start, log.End)
	}
	var got []string
	for r := range log.Records() {
		h := r.Headers
		if r.Topic != "t" || len(h) != 2 || string(h[0].Key) != "h" || string(h[0].Value) != "\x01" || string(h[1].Key) != "null" || h[1].Value != nil {
			t.Errorf("record %+v", r)
		}
		got = append(got, fmt.Sprintf("%d %d %v %s %d %d %d", r.Offset, r.Timestamp, r.Key, r.Value, r.ProducerID, r.ProducerEpoch, r.Sequence))
	}
	want := []string{
		"0 1000 [0] first 4 1 2147483646", "1 1001 [1] first 4 1 2147483647", "2 1002 [2] first 4 1 0",
		"3 1000 [0] second -1 -1 -1", "4 1001 [1] second -1 -1 -1",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the log holds\n%v\nwant\n%v", got, want)
	}
	if got := b.Topics(); len(got) != 1 || got["t"] != 1 {
		t.Errorf("the topics are %v", got)
	}
	if _, err := b.Log("t", 1); err == nil {
		t.Error("a partition that does not exist has a log")
	}
}

func TestOldestIsForgotten(t *testing.T) {
	const keep = 200 << 10
	b := startTest(t, Config{Keep: keep})
	createTopic(t, b, "t", 2)
	c := dial(t, b, 1)
	batch := batchOf{count: 30, value: "0123456789"}.bytes()
	const batches = 1000
	for range batches {
		c.produceOne(b, "t", batch)
	}
	s := b.Stats()
	if s.KeptBytes > keep || s.ForgottenBytes == 0 {
		t.Errorf("%d bytes are kept of %d, %d forgotten", s.KeptBytes, keep, s.ForgottenBytes)
	}
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	if log.Start <= 0 || log.End != batches*30 {
		t.Errorf("the log is [%d, %d)", log.Start, log.End)
	}
	next := log.Start
	for r := range log.Records() {
		if r.Offset != next {
			t.Fatalf("offset %d, want %d", r.Offset, next)
		}
		next++
	}
	if next != log.End {
		t.Errorf("the records end at %d, want %d", next, log.End)
	}
}

func TestVerify(t *testing.T) {
	good := batchOf{count: 3, value: "value"}
	edited := func(edit func(records []byte)) []byte {
		return batchOf{count: 3, value: "value", change: func(b *kmsg.RecordBatch) { edit(b.Records) }}.bytes()
	}
	flipped := good.bytes()
	flipped[len(flipped)-1] ^= 1
	size := (len(good.bytes()) - batchHeaderSize) / 3
	tests := []struct {
		name  string
		batch []byte
		want  int16
	}{
		{"good", good.bytes(), errNone},
		{"one bit", flipped, errCorruptMessage},
		{"record too long", edited(func(r []byte) { r[0] += 2 }), errInvalidRecord},
		{"record length negative", edited(func(r []byte) { r[0] = 1 }), errInvalidRecord},
		{"offset delta repeats", edited(func(r []byte) { r[size+3] = 0 }), errInvalidRecord},
		{"key too long", edited(func(r []byte) { r[4] = 100 }), errInvalidRecord},
		{"value length below null", edited(func(r []byte) { r[6] = 3 }), errInvalidRecord},
		{"more headers than bytes", edited(func(r []byte) { r[size-11] = 120 }), errInvalidRecord},
		{"null header key", edited(func(r []byte) { r[size-10], r[size-9] = 1, 4 }), errInvalidRecord},
		{"record with a byte to spare", batchOf{count: 1, change: func(b *kmsg.RecordBatch) {
			b.Records = append(b.Records, 0)
			b.Records[0] += 2
			b.Length++
		}}.bytes(), errInvalidRecord},
		{"fewer records than the header says", batchOf{count: 3, change: func(b *kmsg.RecordBatch) {
			b.Records = b.Records[:2*len(b.Records)/3]
			b.Length = int32(batchHeaderSize - 12 + len(b.Records))
		}}.bytes(), errInvalidRecord},
		{"more records than the header says", batchOf{count: 3, change: func(b *kmsg.RecordBatch) {
			b.NumRecords, b.LastOffsetDelta = 2, 1
		}}.bytes(), errInvalidRecord},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			for _, verify := range []Verify{VerifyNone, VerifyCount, VerifyFull} {
				b := startTest(t, Config{Verify: verify})
				createTopic(t, b, "t", 1)
				want := tc.want
				if verify == VerifyNone {
					want = errNone
				}
				if got := dial(t, b, 1).produceOne(b, "t", tc.batch).ErrorCode; got != want {
					t.Errorf("verify %v: code %d, want %d", verify, got, want)
				}
				if s := b.Stats(); (s.CRCErrors > 0) != (want == errCorruptMessage) || (s.BatchErrors > 0) != (want != errNone) {
					t.Errorf("verify %v: the counters are %+v", verify, s)
				}
			}
		})
	}
}

func TestCompressedBatches(t *testing.T) {
	inner := batchOf{count: 2, value: "inside"}.bytes()[batchHeaderSize:]
	// The "codec" stores the records back to front.
	turned := func(p []byte) []byte {
		out := make([]byte, len(p))
		for i := range p {
			out[len(p)-1-i] = p[i]
		}
		return out
	}
	batch := batchOf{count: 2, value: "inside", change: func(b *kmsg.RecordBatch) {
		b.Attributes, b.Records = 3, turned(inner)
	}}.bytes()
	tests := []struct {
		name       string
		decompress func(int8, []byte) ([]byte, error)
		code       int16
		unwalked   int64
		records    int
	}{
		{"no decompressor", nil, errNone, 1, 0},
		{"decompressor", func(codec int8, p []byte) ([]byte, error) {
			if codec != 3 {
				return nil, fmt.Errorf("codec %d, want 3", codec)
			}
			return turned(p), nil
		}, errNone, 0, 2},
		{"error", func(int8, []byte) ([]byte, error) { return nil, errors.New("no") }, errCorruptMessage, 0, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var seen []string
			b := startTest(t, Config{
				Verify: VerifyFull, Decompress: tc.decompress,
				OnRecord: func(r *Record) { seen = append(seen, string(r.Value)) },
			})
			createTopic(t, b, "t", 1)
			if got := dial(t, b, 1).produceOne(b, "t", batch).ErrorCode; got != tc.code {
				t.Errorf("code %d, want %d", got, tc.code)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			log, err := b.Log("t", 0)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for range log.Records() {
				n++
			}
			if got := b.Stats().Unwalked; got != tc.unwalked || n != tc.records || len(seen) != tc.records {
				t.Errorf("%d unwalked, %d in the log, %d seen; want %d, %d, %d", got, n, len(seen), tc.unwalked, tc.records, tc.records)
			}
		})
	}
}

func TestOnRecord(t *testing.T) {
	var got []string
	b := startTest(t, Config{OnRecord: func(r *Record) {
		got = append(got, fmt.Sprintf("%s %d %d %s %d", r.Topic, r.Partition, r.Offset, r.Value, r.Sequence))
	}})
	createTopic(t, b, "t", 1)
	c := dial(t, b, 1)
	for range 2 { // the second is a duplicate
		c.produceOne(b, "t", batchOf{count: 2, value: "x", producer: 1}.bytes())
	}
	c.produceOne(b, "t", batchOf{count: 1, value: "y", producer: 1, sequence: 2}.bytes())
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"t 0 0 x 0", "t 0 1 x 1", "t 0 2 y 2"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("saw %q, want %q", got, want)
	}
}
