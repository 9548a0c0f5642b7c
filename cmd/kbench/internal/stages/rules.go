package stages

import "strings"

// The stages, in the order in which a record passes through them.
const (
	Partition = "partition"
	Append    = "append"
	Compress  = "compress"
	Drain     = "drain"
	CRC       = "crc"
	Syscall   = "syscall"
	Callback  = "callback"
	Runtime   = "runtime"
	Generator = "generator"
	Other     = "other"
)

// about is what each stage is for people.
func about() []Stage {
	return []Stage{
		{Name: Partition, About: "choosing the partition"},
		{Name: Append, About: "encoding the record into its batch, and memory for batches"},
		{Name: Compress, About: "compressing batches"},
		{Name: Drain, About: "batches into requests, requests out, responses in"},
		{Name: CRC, About: "checksums of batches"},
		{Name: Syscall, About: "in the kernel: sockets"},
		{Name: Callback, About: "telling the results, with kbench's own callback"},
		{Name: Runtime, About: "scheduler, memory allocation, garbage collection"},
		{Name: Generator, About: "kbench: making records, keeping time"},
		{Name: Other, About: "everything else, other clients' code included"},
	}
}

// rule gives samples to a stage by the beginning of a function's name.
type rule struct {
	when   int // the pass in which it is looked at
	stage  string
	prefix []string
}

const (
	anywhere = iota // decides wherever it stands on the stack
	nearest         // the first frame that any of these fits, from the leaf up
	fallback        // the same, for stacks that the others know nothing of
	passes
)

const (
	kring = "github.com/kring-go/kring."
	below = "github.com/kring-go/kring/"
)

// rules is the whole table. Names are as pprof prints them.
func rules() []rule {
	return []rule{
		// The harness sleeps and wakes up in system calls that are no client's.
		{anywhere, Generator, []string{
			below + "bench.(*nanosleepPacer)", below + "bench.(*timerfdPacer)", below + "bench.(*sleepPacer)",
			below + "bench.(*progress)", below + "bench.(*meter)", below + "bench.(*profiler)",
			below + "cmd/kbench",
		}},
		{anywhere, Callback, []string{below + "bench.(*recorder).done"}},
		{anywhere, Runtime, []string{
			"runtime.gcBgMarkWorker", "runtime.gcAssist", "runtime.bgsweep", "runtime.bgscavenge", "runtime.sysmon",
			"runtime/pprof.", "runtime.sigprof",
		}},

		{nearest, CRC, []string{"hash/crc32.", below + "wire.UpdateCRC"}},
		{nearest, Compress, []string{
			"github.com/klauspost/compress/", "github.com/pierrec/lz4/", "compress/", below + "compress",
		}},
		// Raw system calls of the runtime itself have no rule, so that waiting
		// for sockets is the scheduler's (runtime.netpoll).
		{nearest, Syscall, []string{"syscall.", "golang.org/x/sys/unix."}},
		{nearest, Runtime, []string{
			"runtime.mallocgc", "runtime.newobject", "runtime.makeslice", "runtime.growslice", "runtime.netpoll",
			"runtime.schedule", "runtime.findRunnable", "runtime.park_m", "runtime.mcall", "runtime.gopark",
			"runtime.ready", "runtime.goready", "runtime.wakep", "runtime.futex", "runtime.notewakeup",
			"runtime.selectgo", "runtime.selectnb", "runtime.chansend", "runtime.chanrecv", "runtime.closechan",
			"runtime.newproc", "runtime.goexit0", "runtime.gosched", "runtime.morestack",
		}},
		{nearest, Partition, []string{
			kring + "(*stickyPartitioner)", kring + "(*stickyShard)", kring + "turn.", kring + "(*atomicTurn)",
			kring + "murmur2", kring + "partitionForKey", kring + "shardOf",
		}},
		{nearest, Drain, []string{
			below + "netio.", kring + "(*broker)", kring + "(*partition)", kring + "(*request)", kring + "(*visits)",
			below + "wire.(*ProduceRe", below + "wire.(*reader)",
			below + "accum.(*Partition).MarkReady", below + "accum.(*Partition).Take", below + "accum.(*Partition).Finish",
			below + "accum.(*Batch).WriteHeader", below + "accum.(*Batch).AppendSegments", below + "accum.(*Lingers)",
		}},
		{nearest, Callback, []string{
			below + "accum.(*Lane)", below + "accum.(*Batch).deliver", below + "accum.(*Batch).completion",
			below + "accum.(*completions).take", kring + "(*Producer).runLane",
		}},
		{nearest, Append, []string{
			kring + "(*Topic)", kring + "(*Producer).Produce", kring + "(*Producer).TryProduce",
			below + "accum.(*Partition)", below + "accum.(*Accumulator)", below + "accum.(*completions).set",
			below + "wire.PutRecord", below + "slab.",
		}},
		{nearest, Generator, []string{
			below + "bench.(*sender)", below + "bench.(*source)", below + "bench.(*kringClient)", below + "bench.(*run)",
		}},
		// Other clients run below the generator's frames and must not be taken for it.
		{nearest, Other, []string{
			"github.com/twmb/franz-go/", "github.com/IBM/sarama.", "github.com/segmentio/kafka-go",
			"github.com/confluentinc/", "runtime.cgocall",
		}},

		{fallback, Append, []string{below + "accum.", below + "wire.", below + "ring."}},
		{fallback, Drain, []string{kring, below + "cluster.", below + "sasl."}},
		{fallback, Generator, []string{below + "bench."}},
		{fallback, Runtime, []string{"runtime.", "internal/runtime/"}},
	}
}

// classify gives a stack, leaf first, to a stage.
func classify(table []rule, stack []string) string {
	for pass := range passes {
		for _, name := range stack {
			for _, r := range table {
				if r.when == pass && r.fits(name) {
					return r.stage
				}
			}
		}
	}
	return Other
}

func (r *rule) fits(name string) bool {
	for _, prefix := range r.prefix {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
