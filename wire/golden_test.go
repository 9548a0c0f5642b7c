package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// golden reads a frame of testdata: hexadecimal bytes, and comments from "#" to
// the end of the line. They were checked against Kafka's message definitions by
// hand, so that they hold even where two implementations share an error.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	p, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGoldenRequests(t *testing.T) {
	const base = 1_700_000_000_000
	h := BatchHeader{
		LastOffsetDelta: 1, BaseTimestamp: base, MaxTimestamp: base,
		ProducerID: 99, ProducerEpoch: 2, BaseSequence: 256, RecordCount: 2,
	}
	r := request{clientID: "kring", acks: -1, timeoutMs: 30000, topics: []requestTopic{{
		name: "topic", id: [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
		partitions: []requestPartition{{5, encodeBatch(t, &h, []sample{
			{key: []byte("key"), value: []byte("value"), headers: []Header{{Key: "h", Value: []byte("v")}, {Key: "n"}}},
			{timestampDelta: -100, value: []byte{}},
		})}},
	}}}
	for name, version := range map[string]int16{"request-v3.hex": 3, "request-v13.hex": 13} {
		t.Run(name, func(t *testing.T) {
			var e ProduceEncoder
			r.encode(&e, version, 7)
			if got, want := r.join(&e), golden(t, name); !bytes.Equal(got, want) {
				t.Errorf("got  % x\nwant % x", got, want)
			}
		})
	}
}

func TestGoldenResponse(t *testing.T) {
	frame := golden(t, "response-v13.hex")
	id, body, err := ResponseHeader(frame[4:], true)
	if err != nil || id != 7 {
		t.Fatalf("ResponseHeader = %d, %v, want 7", id, err)
	}
	var got ProduceResponse
	if err := got.Decode(13, body); err != nil {
		t.Fatal(err)
	}
	want := ProduceResponse{
		ThrottleMs: 42,
		Partitions: []PartitionResult{{
			TopicID:   [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
			Partition: 5, ErrorCode: 6, BaseOffset: -1, LogAppendTime: -1, LogStartOffset: -1,
			ErrorMessage: []byte("moved"), RecordErrorCount: 1, LeaderID: 2, LeaderEpoch: 9,
		}},
		RecordErrors: []RecordError{{BatchIndex: 1, Message: []byte("bad")}},
		Nodes:        []Node{{ID: 2, Host: []byte("broker"), Port: 9092}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
