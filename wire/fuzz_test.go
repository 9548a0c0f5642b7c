package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// FuzzProduceResponse is the hostile broker. What we accept, franz-go accepts
// too and reads the same; what it then writes again, we accept; and nothing costs
// more memory than P9 allows.
func FuzzProduceResponse(f *testing.F) {
	for _, tc := range responses() {
		for version := MinProduceVersion; version <= MaxProduceVersion; version++ {
			resp := tc.resp
			resp.Version = int16(version)
			f.Add(uint8(version), resp.AppendTo(nil))
		}
	}
	f.Fuzz(func(t *testing.T, v uint8, body []byte) {
		version := MinProduceVersion + int16(v)%(MaxProduceVersion-MinProduceVersion+1)
		var r ProduceResponse
		err := r.Decode(version, body)
		if limit := allocFactor*len(body) + allocBase; r.retained() > limit {
			t.Errorf("%d bytes for %d received, want at most %d", r.retained(), len(body), limit)
		}
		if err != nil {
			// kmsg is not asked: a number of tags that the frame can not hold,
			// which we refuse, keeps it busy for seconds.
			if !errors.Is(err, ErrMalformed) || !r.empty() {
				t.Fatalf("%v, want ErrMalformed and no partial state: %+v", err, r)
			}
			return
		}
		foreign := kmsg.NewPtrProduceResponse()
		foreign.Version = version
		if err := foreign.ReadFrom(body); err != nil {
			t.Fatalf("accepted, but kmsg says %v", err)
		}
		compareResponse(t, &r, foreign)
		if err := r.Decode(version, foreign.AppendTo(nil)); err != nil {
			t.Fatalf("kmsg's own bytes: %v", err)
		}
		compareResponse(t, &r, foreign)
	})
}

// FuzzResponseHeader looks for a header that reads past its frame.
func FuzzResponseHeader(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x07\x01\x05\x02xyabc"), true)
	f.Add([]byte("\x00\x00\x00\x07abc"), false)
	f.Fuzz(func(t *testing.T, frame []byte, flexible bool) {
		_, body, err := ResponseHeader(frame, flexible)
		if err == nil && !bytes.HasSuffix(frame, body) {
			t.Errorf("body %x is not the end of %x", body, frame)
		}
	})
}

// FuzzNextRecord reads any bytes as the records of a batch. What is read and
// written again must read the same, in no more bytes.
func FuzzNextRecord(f *testing.F) {
	for _, s := range segmentSamples() {
		f.Add(append(s.put(f), s.put(f)...))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		for {
			r, rest, err := NextRecord(p)
			if err != nil {
				if !errors.Is(err, ErrMalformed) {
					t.Fatalf("%v, want ErrMalformed", err)
				}
				return
			}
			used := p[:len(p)-len(rest)]
			// A header takes two bytes, so the headers are bounded too.
			headers := r.AppendHeaders(nil)
			if 2*len(headers) > len(used) {
				t.Fatalf("%d headers in %d bytes", len(headers), len(used))
			}
			_, total := r.Size(r.OffsetDelta)
			if total > len(used) {
				t.Fatalf("a record of %d bytes grew to %d", len(used), total)
			}
			own := bytes.Clone(used)
			same, _, err := NextRecord(own)
			if err != nil || same.Put(own, r.OffsetDelta) != total {
				t.Fatalf("Put wrote another size than %d; %v", total, err)
			}
			again, left, err := NextRecord(own[:total])
			if err != nil || len(left) != 0 || !bytes.Equal(again.Payload, r.Payload) ||
				again.OffsetDelta != r.OffsetDelta || again.TimestampDelta != r.TimestampDelta {
				t.Fatalf("%+v became %+v, %v", r, again, err)
			}
			p = rest
		}
	})
}

// FuzzPutRecord compares a record of any content with franz-go's, in one piece
// and in segments.
func FuzzPutRecord(f *testing.F) {
	f.Add(int32(0), int64(0), []byte(nil), []byte(nil), "", []byte(nil), uint8(0), uint16(0), uint16(0))
	f.Add(int32(64), int64(-65), []byte("k"), fill(8192), "h", []byte("v"), uint8(0x2f), uint16(7), uint16(4))
	f.Fuzz(func(
		t *testing.T, offsetDelta int32, timestampDelta int64,
		key, value []byte, headerKey string, headerValue []byte, shape uint8, first, second uint16,
	) {
		s := sample{offsetDelta: offsetDelta, timestampDelta: timestampDelta}
		// The low bits of shape choose null for what the fuzzer can only make
		// empty, the high ones the number of headers.
		if shape&1 == 0 {
			s.key = append([]byte{}, key...)
		}
		if shape&2 == 0 {
			s.value = append([]byte{}, value...)
		}
		h := Header{Key: headerKey}
		if shape&4 == 0 {
			h.Value = append([]byte{}, headerValue...)
		}
		for range shape >> 4 {
			s.headers = append(s.headers, h)
		}
		got, want := s.put(t), s.kmsgBytes()
		if !bytes.Equal(got, want) {
			t.Fatalf("got  %x\nwant %x", head(got), head(want))
		}
		a := int(first) % (len(want) + 1)
		b := int(second) % (len(want) - a + 1)
		checkSegments(t, &s, want, a, b, len(want)-a-b)
	})
}
