package broker

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestHostileLengths sends first bytes that no client sends.
func TestHostileLengths(t *testing.T) {
	b := startTest(t, Config{})
	for name, bytes := range map[string]string{
		"negative":    "\xff\xff\xff\xff",
		"zero":        "\x00\x00\x00\x00",
		"too short":   "\x00\x00\x00\x07",
		"too long":    "\x7f\xff\xff\xff",
		"HTTP":        "GET / HTTP/1.1\r\n",
		"TLS":         "\x16\x03\x01\x02\x00",
		"no such key": "\x00\x00\x00\x08\x7f\xff\x00\x00\x00\x00\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, b, 1)
			c.write([]byte(bytes))
			c.closed()
		})
	}
}

// TestClaimedLength claims 99 MiB and sends a little more than a buffer: memory
// must follow what came and not what was claimed.
func TestClaimedLength(t *testing.T) {
	b := startTest(t, Config{})
	allocated := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc
	}
	const conns = 5
	claim := append([]byte{0x06, 0x30, 0, 0}, make([]byte, readBuffer)...)
	before := allocated()
	for range conns {
		dial(t, b, 1).write(claim)
	}
	const grown = conns * 3 * readBuffer // a first buffer and one twice as large
	eventually(t, "the second buffer", func() bool { return allocated()-before >= grown })
	if got := allocated() - before; got > 2*grown {
		t.Errorf("%d connections took %d bytes, want about %d", conns, got, grown)
	}
}

// hostileSeeds is a request of every API and form.
func hostileSeeds(b *Broker) [][]byte {
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("tester"))
	var seeds [][]byte
	add := func(req kmsg.Request) { seeds = append(seeds, f.AppendRequest(nil, req, 1)[4:]) }
	batch := batchOf{count: 2, value: "v", producer: 1}.bytes()
	for _, version := range []int16{3, 8, 9, 13} {
		add(produceTo(b, version, "t", map[int32][]byte{0: batch}))
	}
	for _, version := range []int16{0, 4, 9, 13} {
		add(metadataFor(version, "t"))
	}
	for _, version := range []int16{4, 11, 12} {
		add(fetchFrom(version, 0))
	}
	add(&kmsg.ApiVersionsRequest{Version: 4, ClientSoftwareName: "x", ClientSoftwareVersion: "1"})
	add(&kmsg.InitProducerIDRequest{Version: 4})
	list := kmsg.NewPtrListOffsetsRequest()
	list.Version = 7
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = "t", []kmsg.ListOffsetsRequestTopicPartition{kmsg.NewListOffsetsRequestTopicPartition()}
	list.Topics = append(list.Topics, topic)
	add(list)
	return seeds
}

// silent makes a connection whose handle can be called by a test.
func silent(t testing.TB, cfg Config) *conn {
	b := startTest(t, cfg)
	createTopic(t, b, "t", 1)
	return newConn(b.nodes[0], discardConn{})
}

// TestCutRequests cuts every request at every byte: the connection ends, and
// nothing is appended.
func TestCutRequests(t *testing.T) {
	c := silent(t, Config{Verify: VerifyFull})
	for i, seed := range hostileSeeds(c.b) {
		for cut := range len(seed) {
			if cut < 8 {
				continue // readFrame refuses those
			}
			if c.handle(append([]byte(nil), seed[:cut]...)) && binary.BigEndian.Uint16(seed) == uint16(keyProduce) {
				t.Errorf("seed %d cut to %d of %d bytes was answered", i, cut, len(seed))
			}
		}
	}
	if got := c.b.Stats().Batches; got != 0 {
		t.Errorf("%d batches were appended", got)
	}
}

func TestTrailingBytesAreMalformed(t *testing.T) {
	c := silent(t, Config{})
	seed := hostileSeeds(c.b)[0]
	if c.handle(append(seed, 0)) {
		t.Error("a Produce request with a byte too many was answered")
	}
	if s := c.b.Stats(); s.Malformed != 1 || s.Batches != 0 {
		t.Errorf("the counters are %+v", s)
	}
}

// TestFlippedRequests changes single bytes to telling values. Whatever the
// broker makes of it, it must go on, and keep a log that can be read.
func TestFlippedRequests(t *testing.T) {
	c := silent(t, Config{Verify: VerifyFull})
	for _, seed := range hostileSeeds(c.b) {
		for at := 2; at < len(seed); at++ {
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				p := append([]byte(nil), seed...)
				p[at] = v
				c.handle(p)
			}
		}
	}
	readable(t, c.b)
}

// readable fails unless the log of partition 0 has every record.
func readable(t testing.TB, b *Broker) {
	t.Helper()
	log, err := b.Log("t", 0)
	if err != nil {
		t.Fatal(err)
	}
	n := int64(0)
	for range log.Records() {
		n++
	}
	if n != log.End-log.Start {
		t.Errorf("%d records of [%d, %d) can be read", n, log.Start, log.End)
	}
}

// TestClaimedTags claims 2^32-1 tags in a few bytes. A reader that counts them
// down takes minutes.
func TestClaimedTags(t *testing.T) {
	const claim = "\xff\xff\xff\xff\x0f"
	for name, frame := range map[string]string{
		"ApiVersions header":    "\x00\x12\x00\x03\x00\x00\x00\x01\xff\xff" + claim,
		"Produce header":        "\x00\x00\x00\x0d\x00\x00\x00\x01\xff\xff" + claim,
		"Produce body":          "\x00\x00\x00\x0d\x00\x00\x00\x01\xff\xff\x00\x00\x00\x01\x00\x00\x00\x00\x01" + claim,
		"Metadata topic":        "\x00\x03\x00\x09\x00\x00\x00\x01\xff\xff\x00\x02\x02t" + claim,
		"ListOffsets partition": "\x00\x02\x00\x07\x00\x00\x00\x01\xff\xff\x00\x00\x00\x00\x00\x00\x02\x02t\x02" + "0123456789abcdef" + claim,
	} {
		t.Run(name, func(t *testing.T) {
			c := silent(t, Config{})
			if c.handle([]byte(frame)) {
				t.Error("the request was answered")
			}
			if got := c.b.Stats().Malformed; got != 1 {
				t.Errorf("%d requests are counted as malformed, want 1", got)
			}
		})
	}
}

func FuzzHandle(f *testing.F) {
	scratch, err := Start(Config{})
	if err != nil {
		f.Fatal(err)
	}
	if err := scratch.CreateTopic("t", 1); err != nil {
		f.Fatal(err)
	}
	for _, seed := range hostileSeeds(scratch) {
		f.Add(seed)
	}
	scratch.Close()
	b, err := Start(Config{Verify: VerifyFull, Keep: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { b.Close() })
	if err := b.CreateTopic("t", 1); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		if len(frame) < 8 || (frame[0] == 0 && frame[1] == byte(kmsg.Fetch)) {
			return // a Fetch may ask to wait for weeks
		}
		c := newConn(b.nodes[0], discardConn{})
		c.handle(frame)
		readable(t, b)
	})
}

// TestReadFrameKeepsOrder sends requests of changing size, more than a buffer
// holds, cut at odd places.
func TestReadFrameKeepsOrder(t *testing.T) {
	b := startTest(t, Config{})
	createTopic(t, b, "t", 1)
	for _, count := range []int{0, 10, 1000, 20000} {
		t.Run(fmt.Sprintf("%d records", count), func(t *testing.T) {
			c := dial(t, b, 1)
			var batches [3][]byte
			for i := range batches {
				batches[i] = batchOf{count: 1 + count*i/2}.bytes()
			}
			const requests = 60
			var stream []byte
			for i := range requests {
				req := produceTo(b, 12, "t", map[int32][]byte{0: batches[i%len(batches)]})
				stream = append(stream, c.formatter.AppendRequest(nil, req, int32(i))...)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				for len(stream) > 0 {
					n := min(len(stream), 77777)
					if _, err := c.nc.Write(stream[:n]); err != nil {
						t.Error(err)
						return
					}
					stream = stream[n:]
				}
			}()
			for i := range int32(requests) {
				id, _, err := c.frame()
				if err != nil || id != i {
					t.Fatalf("answer %d has correlation id %d, error %v", i, id, err)
				}
			}
			<-done
		})
	}
	if s := b.Stats(); s.Rejected != 0 || s.Malformed != 0 {
		t.Errorf("the counters are %+v", s)
	}
}
