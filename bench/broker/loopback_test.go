//go:build unix

package broker

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// childEnv makes the test binary a broker of its own, so that the benchmark can
// tell the broker's CPU time from the client's.
const childEnv = "KRING_BROKER_BENCH_CHILD"

func TestMain(m *testing.M) {
	if how := os.Getenv(childEnv); how != "" {
		os.Exit(benchChild(how))
	}
	os.Exit(m.Run())
}

// benchChild prints its address, and its CPU time in ns for each line it reads.
func benchChild(verify string) int {
	v, err := ParseVerify(verify)
	if err != nil {
		return 2
	}
	cfg := Config{Partitions: 12, Verify: v}
	if v == VerifyFull {
		cfg.Keep = 64 << 20
	}
	b, err := Start(cfg)
	if err != nil {
		return 1
	}
	defer b.Close()
	fmt.Println(b.Addrs()[0])
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			return 1
		}
		fmt.Println(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return 0
}

// BenchmarkLoopback is one connection to a broker in another process.
// broker-cpu-ns/op is the CPU time of that process, kernel included.
func BenchmarkLoopback(b *testing.B) {
	for _, size := range benchSizes() {
		for _, verify := range []Verify{VerifyNone, VerifyCount, VerifyFull} {
			b.Run(fmt.Sprintf("request=%s/verify=%v", size.name, verify), func(b *testing.B) { benchLoopback(b, size, verify) })
		}
	}
}

func benchLoopback(b *testing.B, size benchSize, verify Verify) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+verify.String())
	stdin, err := child.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		stdin.Close()
		if err := child.Wait(); err != nil {
			b.Error(err)
		}
	}()
	lines := bufio.NewScanner(stdout)
	readLine := func() string {
		if !lines.Scan() {
			b.Fatal("the broker's process ended")
		}
		return lines.Text()
	}
	cpu := func() int64 {
		fmt.Fprintln(stdin)
		ns, err := strconv.ParseInt(strings.TrimSpace(readLine()), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return ns
	}
	nc, err := net.DialTimeout("tcp", readLine(), patience)
	if err != nil {
		b.Fatal(err)
	}
	defer nc.Close()
	md := kmsg.NewPtrMetadataRequest()
	md.Version, md.AllowAutoTopicCreation = 9, true
	topic, name := kmsg.NewMetadataRequestTopic(), "t"
	topic.Topic = &name
	md.Topics = append(md.Topics, topic)
	c := &client{t: b, nc: nc, formatter: kmsg.NewRequestFormatter()}
	c.roundTrip(md)

	request := benchRequest(size, 12, [16]byte{})
	acks := make(chan struct{}, size.inFlight)
	go drainAnswers(nc, acks)
	before := cpu()
	b.SetBytes(int64(len(request)))
	b.ResetTimer()
	inFlight := 0
	for range b.N {
		if inFlight == cap(acks) {
			<-acks
			inFlight--
		}
		if _, err := nc.Write(request); err != nil {
			b.Fatal(err)
		}
		inFlight++
	}
	for range inFlight {
		<-acks
	}
	b.StopTimer()
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "broker-cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// drainAnswers says when an answer is complete. Their length never changes.
func drainAnswers(nc net.Conn, acks chan<- struct{}) {
	in := bufio.NewReader(nc)
	_ = nc.SetReadDeadline(time.Time{})
	for {
		head, err := in.Peek(4)
		if err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, in, 4+int64(binary.BigEndian.Uint32(head))); err != nil {
			return
		}
		acks <- struct{}{}
	}
}
