package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestPutRecordAround: around a value that stands there already come the same
// bytes as PutRecord writes, and the value and what lies behind stay as they are.
func TestPutRecordAround(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		var key []byte
		if rnd.IntN(3) > 0 {
			key = fill(rnd.IntN(200))
		}
		var headers []Header
		for range rnd.IntN(3) * rnd.IntN(40) {
			headers = append(headers, Header{Key: string(fill(rnd.IntN(5))), Value: fill(rnd.IntN(80))})
		}
		value := fill(rnd.IntN(3) * rnd.IntN(9000))
		offset, delta := rnd.Int32N(1<<14), rnd.Int64N(1<<20)-1<<19
		payload := PayloadSize(key, value, headers)
		if got := PayloadSizeAround(key, len(value), headers); got != payload {
			t.Fatalf("PayloadSizeAround = %d, want %d", got, payload)
		}
		body, total := RecordSize(payload, offset, delta)
		want := make([]byte, total)
		PutRecord(want, body, offset, delta, key, value, headers)
		got := bytes.Repeat([]byte{0xee}, total+3)
		copy(got[total-AfterValue(headers)-len(value):], value)
		PutRecordAround(got[:total], body, offset, delta, key, len(value), headers)
		if !bytes.Equal(got[:total], want) {
			t.Fatalf("key %d, value %d, %d headers: got %x, want %x", len(key), len(value), len(headers), got[:total], want)
		}
		if !bytes.Equal(got[total:], []byte{0xee, 0xee, 0xee}) {
			t.Fatal("wrote behind the record")
		}
	}
}
