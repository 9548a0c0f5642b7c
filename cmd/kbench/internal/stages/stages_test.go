package stages

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// stacks is a profile in a few lines: leaf first, and the stage that each
// belongs to.
func stacks() []struct {
	stage string
	stack string
} {
	const send = " github.com/kring-go/kring/bench.(*kringClient).Produce github.com/kring-go/kring/bench.(*sender).one"
	const topic = " github.com/kring-go/kring.(*Topic).produce" + send
	return []struct{ stage, stack string }{
		{Partition, "github.com/kring-go/kring.(*stickyPartitioner).pick" + topic},
		{Partition, "github.com/kring-go/kring.murmur2" + topic},
		{Append, "runtime.memmove github.com/kring-go/kring/wire.PutRecord github.com/kring-go/kring/accum.(*Partition).tryAppend" + topic},
		{Append, "github.com/kring-go/kring.(*Topic).produce" + send},
		{Compress, "github.com/klauspost/compress/zstd.(*Encoder).EncodeAll github.com/kring-go/kring.(*broker).send"},
		{Drain, "github.com/kring-go/kring.(*broker).drain github.com/kring-go/kring.(*broker).kick" + topic},
		{Drain, "github.com/kring-go/kring/accum.(*Batch).WriteHeader github.com/kring-go/kring.(*broker).send"},
		{Drain, "github.com/kring-go/kring.(*timer).run"},
		{CRC, "hash/crc32.castagnoliSSE42Triple hash/crc32.update github.com/kring-go/kring/wire.UpdateCRC github.com/kring-go/kring/accum.(*Batch).WriteHeader"},
		{Syscall, "internal/runtime/syscall/linux.Syscall6 syscall.RawSyscall6 syscall.Syscall github.com/kring-go/kring/netio.sysWritev"},
		{Callback, "github.com/kring-go/kring/bench.(*bitmap).set github.com/kring-go/kring/bench.(*recorder).done github.com/kring-go/kring/bench.newKring.func1"},
		{Callback, "github.com/kring-go/kring/accum.(*Batch).deliver github.com/kring-go/kring/accum.(*Lane).Run"},
		{Runtime, "runtime.futex runtime.futexwakeup runtime.notewakeup runtime.goready github.com/kring-go/kring/accum.(*Lane).notify"},
		{Runtime, "internal/runtime/syscall/linux.Syscall6 internal/runtime/syscall/linux.EpollWait runtime.netpoll runtime.findRunnable"},
		{Runtime, "runtime.mallocgcSmallScanHeader runtime.mallocgc github.com/kring-go/kring.(*broker).send"},
		{Runtime, "runtime.scanobject runtime.gcDrain runtime.gcBgMarkWorker.func2 runtime.systemstack runtime.gcBgMarkWorker"},
		{Runtime, "runtime.unheardOf"},
		{Generator, "github.com/kring-go/kring/bench.(*source).make github.com/kring-go/kring/bench.(*sender).produce"},
		{Generator, "internal/runtime/syscall/linux.Syscall6 syscall.Syscall6 github.com/kring-go/kring/bench.(*nanosleepPacer).wait github.com/kring-go/kring/bench.(*sender).await"},
		{Other, "github.com/twmb/franz-go/pkg/kgo.(*Client).Produce github.com/kring-go/kring/bench.(*sender).one"},
		{Other, "example.com/unheard.of"},
		{Other, ""},
	}
}

// synthetic gives the n-th stack n+1 microseconds.
func synthetic() *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 1,
	}
	id := uint64(0)
	for i, s := range stacks() {
		sample := &profile.Sample{Value: []int64{1, int64(i+1) * 1000}}
		for name := range strings.FieldsSeq(s.stack) {
			id++
			f := &profile.Function{ID: id, Name: name}
			l := &profile.Location{ID: id, Line: []profile.Line{{Function: f}}}
			p.Function, p.Location = append(p.Function, f), append(p.Location, l)
			sample.Location = append(sample.Location, l)
		}
		p.Sample = append(p.Sample, sample)
	}
	return p
}

func TestRules(t *testing.T) {
	table := rules()
	for _, tc := range stacks() {
		if got := classify(table, strings.Fields(tc.stack)); got != tc.stage {
			t.Errorf("%s goes to %s, want %s", tc.stack, got, tc.stage)
		}
	}
	for _, r := range table {
		if r.when < anywhere || r.when >= passes || len(r.prefix) == 0 {
			t.Errorf("the rule %+v never applies", r)
		}
	}
}

func TestStagesAddUp(t *testing.T) {
	want := map[string]int64{}
	total := int64(0)
	for i, s := range stacks() {
		want[s.stage] += int64(i+1) * 1000
		total += int64(i+1) * 1000
	}
	file := filepath.Join(t.TempDir(), "cpu.pprof")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(synthetic().Write(f), f.Close(), Note(file, 1000)); err != nil {
		t.Fatal(err)
	}
	r, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, s := range r.Stages {
		sum += s.Ns
		if s.Ns != want[s.Name] {
			t.Errorf("%s has %d ns, want %d", s.Name, s.Ns, want[s.Name])
		}
	}
	if sum != total || r.TotalNs != total {
		t.Errorf("the stages have %d ns, the report %d, the profile %d", sum, r.TotalNs, total)
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"ns/rec", " total         253.0  100.0 %", "crc32.castagnoliSSE42Triple 100 %"} {
		if !strings.Contains(b.String(), text) {
			t.Errorf("%q is not in\n%s", text, &b)
		}
	}
}

func TestNoCPUProfile(t *testing.T) {
	if _, err := Of(&profile.Profile{SampleType: []*profile.ValueType{{Type: "alloc_space", Unit: "bytes"}}}); err == nil {
		t.Error("a profile of allocations was taken for one of CPU time")
	}
	name := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(name, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(name); err == nil || !strings.Contains(err.Error(), "not a profile") {
		t.Errorf("got %v", err)
	}
	if _, err := Read(name + "2"); err == nil {
		t.Error("no file, no error")
	}
	r, err := Of(&profile.Profile{SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}}})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil || !strings.Contains(b.String(), "0.0") || strings.Contains(b.String(), "NaN") {
		t.Errorf("an empty profile: %v\n%s", err, &b)
	}
}
