package cluster

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// shaped lists the responses that have a shape, with their versions.
var shaped = []struct {
	name   string
	key    int16
	newest int16
}{
	{"ApiVersions", keyApiVersions, 5},
	{"Metadata", keyMetadata, newestMetadata},
	{"InitProducerID", keyInitProducerID, newestInitProducerID},
	{"SaslHandshake", keySaslHandshake, wrappedHandshake},
	{"SaslAuthenticate", keySaslAuthenticate, newestAuthenticate},
	{"FindCoordinator", keyFindCoordinator, newestFindCoordinator},
	{"AddPartitionsToTxn", keyAddPartitionsToTxn, newestAddPartitions},
	{"AddOffsetsToTxn", keyAddOffsetsToTxn, newestAddOffsets},
	{"EndTxn", keyEndTxn, implicitEndTxn},
	{"TxnOffsetCommit", keyTxnOffsetCommit, implicitOffsetCommit},
	{"GetTelemetrySubscriptions", keyGetTelemetrySubscriptions, newestTelemetry},
	{"PushTelemetry", keyPushTelemetry, newestTelemetry},
}

// fill sets every field of a message to something, arrays to up to two
// elements.
func fill(v reflect.Value, r *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[kmsg.Tags]() {
			tags := v.Addr().Interface().(*kmsg.Tags)
			for i := range r.IntN(3) {
				tags.Set(uint32(100+i), make([]byte, r.IntN(4)))
			}
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "Version" {
				fill(v.Field(i), r)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 2))
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.Pointer:
		if r.IntN(2) == 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), r)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.String:
		v.SetString("text"[:r.IntN(5)])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Uint8:
		v.SetUint(uint64(r.IntN(256)))
	default:
		v.SetInt(int64(r.IntN(1 << 14)))
	}
}

func randomResponse(key, version int16, r *rand.Rand) kmsg.Response {
	m := kmsg.ResponseForKey(key)
	fill(reflect.ValueOf(m).Elem(), r)
	if a, ok := m.(*kmsg.ApiVersionsResponse); ok {
		a.ErrorCode = 0 // 35 means another layout.
	}
	m.SetVersion(version)
	return m
}

// eachVersion runs f for every response and version with random
// messages.
func eachVersion(t *testing.T, rounds int, f func(t *testing.T, key, version int16, m kmsg.Response)) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range shaped {
		for version := int16(0); version <= s.newest; version++ {
			t.Run(fmt.Sprintf("%s/v%d", s.name, version), func(t *testing.T) {
				for range rounds {
					f(t, s.key, version, randomResponse(s.key, version, r))
				}
			})
		}
	}
}

func TestWalkAgreesWithKmsg(t *testing.T) {
	eachVersion(t, 20, func(t *testing.T, key, version int16, m kmsg.Response) {
		layout, _ := shapeOf(key)
		body := m.AppendTo(nil)
		if err := layout.walk(version, body); err != nil {
			t.Fatalf("walk of % x: %v", body, err)
		}
		// With bytes after it, only an exact walk leaves these bytes.
		w := walker{rest: append(body, 0xee, 0xee), version: version, flexible: version >= layout.flexibleFrom}
		w.fields(layout.fields)
		if w.flexible {
			w.tags(layout.tagged)
		}
		if len(w.rest) != 2 || w.bad {
			t.Fatalf("the walk left %d bytes of 2 (bad: %v) of % x", len(w.rest), w.bad, body)
		}
	})
}

func TestDecodeRoundTrip(t *testing.T) {
	eachVersion(t, 20, func(t *testing.T, key, version int16, m kmsg.Response) {
		r := request{key: key, version: version, correlationID: 7}
		frame := append(frameOf(r, m)[4:], 1, 2, 3) // Bytes that follow are ignored.
		got := kmsg.ResponseForKey(key)
		got.SetVersion(version)
		if err := decode(got, frame, 7); err != nil {
			t.Fatalf("decode: %v", err)
		}
		if want, again := m.AppendTo(nil), got.AppendTo(nil); string(want) != string(again) {
			t.Fatalf("decoded\n% x, want\n% x", again, want)
		}
	})
}

// Every prefix of a response is an error, whatever kmsg thinks of it.
func TestDecodeTruncated(t *testing.T) {
	eachVersion(t, 20, func(t *testing.T, key, version int16, m kmsg.Response) {
		frame := frameOf(request{key: key, correlationID: 7}, m)[4:]
		for i := range frame {
			got := kmsg.ResponseForKey(key)
			got.SetVersion(version)
			if err := decode(got, frame[:i:i], 7); err == nil {
				t.Fatalf("decode took %d of %d bytes: % x", i, len(frame), frame[:i])
			}
		}
	})
}

// A flipped byte may decode, but it must not panic nor take long.
func TestDecodeFlipped(t *testing.T) {
	eachVersion(t, 3, func(t *testing.T, key, version int16, m kmsg.Response) {
		frame := frameOf(request{key: key, correlationID: 7}, m)[4:]
		for i := 4; i < len(frame); i++ {
			for _, value := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				lie := append([]byte(nil), frame...)
				lie[i] = value
				got := kmsg.ResponseForKey(key)
				got.SetVersion(version)
				if err := decode(got, lie, 7); err == nil && key == keyMetadata {
					convert(got.(*kmsg.MetadataResponse), []string{"", "text"})
				}
			}
		}
	})
}

func TestDecodeHostile(t *testing.T) {
	const id = "\x00\x00\x00\x07"
	tests := []struct {
		name    string
		key     int16
		version int16
		frame   string
	}{
		{"empty", keyMetadata, 4, ""},
		{"half an id", keyMetadata, 4, "\x00\x00"},
		{"another id", keyInitProducerID, 0, "\x00\x00\x00\x08" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00"},
		{"header with 2^32-1 tags", keyMetadata, 9, id + "\xff\xff\xff\xff\x0f"},
		{"header with a varint of 33 bits", keyInitProducerID, 2, id + "\x80\x80\x80\x80\x10" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00" + "\x00"},
		{"header with a varint of 6 bytes", keyMetadata, 9, id + "\xff\xff\xff\xff\xff\x01"},
		{"header tag longer than the frame", keyMetadata, 9, id + "\x01\x05\x7f"},
		{"array of -2", keyMetadata, 4, id + "\x00\x00\x00\x00\xff\xff\xff\xfe"},
		{"array of -1 where null is not allowed", keyMetadata, 4, id + "\x00\x00\x00\x00\xff\xff\xff\xff"},
		{"array of 2^31-1", keyMetadata, 4, id + "\x00\x00\x00\x00\x7f\xff\xff\xff"},
		{"compact array of 2^32-2", keyMetadata, 9, id + "\x00\x00\x00\x00\x00\xff\xff\xff\xff\x0f"},
		{"compact array of null", keyMetadata, 9, id + "\x00\x00\x00\x00\x00\x00"},
		{"compact array of 2^31", keyApiVersions, 3, id + "\x00\x00\x81\x80\x80\x80\x08"},
		{"null host", keyMetadata, 9, id + "\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01\x00" + "\x00\x00\x00\x01\x00\x00" + "\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00"},
		{"host longer than the frame", keyMetadata, 4, id + "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x7f\xff" + "0123456789"},
		{"negative host length", keyMetadata, 4, id + "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x80\x00" + "0123456789"},
		{"2^31 tags at the end", keyInitProducerID, 2, id + "\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00" + "\x80\x80\x80\x80\x08"},
		{"2^32-1 tags in a key", keyApiVersions, 3, id + "\x00\x00\x02\x00\x12\x00\x00\x00\x04\xff\xff\xff\xff\x0f" + "\x00\x00\x00\x00\x00"},
		{"2^32-1 tags in a feature", keyApiVersions, 3, id + "\x00\x00\x01" + "\x00\x00\x00\x00" + "\x01\x00\x0c\x02\x02f\x00\x01\x00\x01\xff\xff\xff\xff\x0f"},
		{"known tag too short", keyApiVersions, 3, id + "\x00\x00\x01" + "\x00\x00\x00\x00" + "\x01\x01\x04\x00\x00\x00\x00"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := kmsg.ResponseForKey(tc.key)
			m.SetVersion(tc.version)
			start := time.Now()
			err := decode(m, []byte(tc.frame), 7)
			if err == nil {
				t.Errorf("decode(% x) took it: %+v", tc.frame, m)
			}
			if body, err := stripHeader(m, []byte(tc.frame), 7); err == nil {
				layout, _ := shapeOf(tc.key)
				if layout.walk(tc.version, body) == nil {
					t.Error("the walk leaves the fault to kmsg")
				}
			}
			// kmsg alone would be busy for minutes with the tags.
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("decode took %v", took)
			}
		})
	}
}

func TestDecodeNeedsShape(t *testing.T) {
	if err := decode(kmsg.NewPtrHeartbeatResponse(), make([]byte, 64), 0); err == nil {
		t.Error("decode took a response without a shape")
	}
}

// Memory is bounded by the size of the frame, not by what the frame claims.
func TestDecodeMemory(t *testing.T) {
	const size = 4 << 20
	claims := map[string][]byte{
		// As many topics as there are bytes, all of them broken.
		"topics": append([]byte("\x00\x00\x00\x07"+"\x00\x00\x00\x00"+"\x00\x00\x00\x00"+"\xff\xff"+"\x00\x00\x00\x01"+
			"\x00\x3f\xff\x00"), make([]byte, size)...),
		"brokers": append([]byte("\x00\x00\x00\x07"+"\x00\x00\x00\x00"+"\x00\x3f\xff\x00"), make([]byte, size)...),
	}
	for name, frame := range claims {
		t.Run(name, func(t *testing.T) {
			m := kmsg.NewPtrMetadataResponse()
			m.SetVersion(4)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := decode(m, frame, 7)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Fatal("decode took an impossible count")
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > size {
				t.Errorf("decode allocated %d bytes for a frame of %d that is refused", used, len(frame))
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for i, s := range shaped {
		for version := int16(0); version <= s.newest; version++ {
			m := randomResponse(s.key, version, r)
			f.Add(uint8(i), uint8(version), frameOf(request{correlationID: 7}, m)[4:])
		}
	}
	f.Fuzz(func(t *testing.T, which, version uint8, frame []byte) {
		s := shaped[int(which)%len(shaped)]
		m := kmsg.ResponseForKey(s.key)
		m.SetVersion(int16(version) % (s.newest + 1))
		start := time.Now()
		if err := decode(m, frame, 7); err != nil {
			return
		}
		if metadata, ok := m.(*kmsg.MetadataResponse); ok {
			checkMetadata(t, convert(metadata, []string{"", "text"}))
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%d bytes took %v", len(frame), took)
		}
	})
}
