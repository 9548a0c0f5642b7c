package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mode is who decides when the next record is sent.
type Mode string

const (
	// ModeOpen sends by a timetable, whether or not the client keeps up.
	ModeOpen Mode = "open"
	// ModeClosed sends as fast as the client takes records, or keeps Outstanding
	// of them under way.
	ModeClosed Mode = "closed"
)

// VerifyMode is how much of what was sent is looked for afterwards.
type VerifyMode string

// The values of --verify.
const (
	VerifyNone  VerifyMode = "none"
	VerifyCount VerifyMode = "count"
	VerifyFull  VerifyMode = "full"
)

// Partitioners: who chooses a record's partition.
const (
	PartitionerClient     = "client"
	PartitionerRoundRobin = "round-robin"
)

// RunID names a run in its topic's records and in its result.
type RunID uint64

// String is 16 hex digits.
func (id RunID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// MarshalText writes String.
func (id RunID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (id *RunID) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 16, 64)
	*id = RunID(v)
	return err
}

// Config is a resolved plan: everything a worker needs to know, and nothing
// that depends on which library it drives. It travels to workers as JSON.
type Config struct {
	RunID    RunID    `json:"run_id"`
	Command  []string `json:"command"`
	Settings Settings `json:"settings"`

	Mode        Mode    `json:"mode"`
	Rate        int64   `json:"rate_per_second"`  // open loop only
	Arrival     Arrival `json:"arrival,omitzero"` // open loop only
	Outstanding int     `json:"outstanding"`      // closed loop; 0: as much as the client buffers
	// Busy is how long a sender computes before each record, without ever
	// waiting; closed loop only. The rate it stands for is Senders / Busy.
	Busy      time.Duration `json:"busy_ns,omitempty"`
	Senders   int           `json:"senders"`
	Producers int           `json:"producers,omitzero"` // clients that the senders share; 0 is one

	// Procs is how many processes of this machine make the run together, with
	// Senders each; up to 1 is this process. Those it starts have it, and a Shard.
	Procs int `json:"procs,omitzero"`

	// Shard is this machine's part of the run, and StartAt the wall-clock time
	// at which all of them start; zero is now.
	Shard   Shard     `json:"shard,omitzero"`
	StartAt time.Time `json:"start_at,omitzero"`

	Partitions  int    `json:"partitions"`
	Partitioner string `json:"partitioner"`

	Sizes           Sizes         `json:"size"`
	Keys            Keys          `json:"keys"`
	Payload         string        `json:"payload,omitempty"`      // PayloadText or PayloadOfFile; "" is PayloadRandom
	PayloadFile     *PayloadFile  `json:"payload_file,omitempty"` // of PayloadOfFile
	Compressibility float64       `json:"compressibility"`
	Records         int64         `json:"records"` // 0: by Duration alone
	Duration        time.Duration `json:"duration_ns"`
	Warmup          time.Duration `json:"warmup_ns"`
	WarmupRecords   int64         `json:"warmup_records,omitzero"` // in place of Warmup; closed loop only
	Seed            uint64        `json:"seed"`

	// LatencySample notes every n-th record's times; 0 chooses (see sampling).
	LatencySample int           `json:"latency_sample"`
	Verify        VerifyMode    `json:"verify"`
	E2E           bool          `json:"e2e,omitzero"` // consume meanwhile, see Latencies.E2E
	AllowErrors   bool          `json:"allow_errors"`
	Pacer         string        `json:"pacer"`
	MaxLag        time.Duration `json:"max_lag_ns"`
	MaxSteal      float64       `json:"max_steal_share,omitzero"` // of all processors' time; 0: DefaultMaxSteal
	DrainTimeout  time.Duration `json:"drain_timeout_ns"`
	Interval      time.Duration `json:"interval_ns"`
	Quiet         bool          `json:"quiet"`
	Profiles      Profiles      `json:"profiles"`
	Faults        []Fault       `json:"faults,omitempty"`
}

// Profiles are files to write; an empty name is no profile.
type Profiles struct {
	CPU   string `json:"cpu,omitempty"`
	Heap  string `json:"heap,omitempty"`
	Mutex string `json:"mutex,omitempty"`
	Block string `json:"block,omitempty"`
}

// Validate reports everything that is wrong, in the words of the flags.
func (c *Config) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(c.Senders >= 1 && c.Senders <= maxSenders, "--senders is %d, want 1 to %d", c.Senders, maxSenders)
	want(c.Producers >= 0 && c.Producers <= max(c.Senders, 1), "--producers is %d, want 1 to the number of senders, %d", c.Producers, c.Senders)
	want(c.Partitions >= 0 && c.Partitions <= 1<<20, "--partitions is %d, want 1 to %d", c.Partitions, 1<<20)
	want(c.Records >= 0, "--num-records is %d, want 1 or more", c.Records)
	want(c.Records > 0 || c.Duration > 0, "nothing to do: give --num-records or --duration")
	want(c.Compressibility >= 0 && c.Compressibility <= 1, "--compressibility is %v, want 0 to 1", c.Compressibility)
	c.checkPayload(want)
	c.checkWarmup(want)
	c.checkProcs(want)
	want(c.LatencySample >= 0, "--latency-sample is %d, want 1 or more", c.LatencySample)
	want(c.MaxSteal >= 0 && c.MaxSteal <= 1, "--max-steal is %v, want 0 to 100 percent", 100*c.MaxSteal)
	want(c.MaxLag >= 0, "--max-lag is %v, want more than 0", c.MaxLag)
	want(c.DrainTimeout >= 0, "--drain-timeout is %v, want more than 0", c.DrainTimeout)
	want(c.Outstanding >= 0, "--outstanding is %d, want 1 or more", c.Outstanding)
	switch c.Mode {
	case ModeOpen:
		want(c.Rate > 0, "--mode open needs a --rate")
		want(c.Outstanding == 0, "--outstanding is for the closed loop; --rate makes it an open one")
		want(c.Busy == 0, "busy callers have no timetable: leave out the rate")
	case ModeClosed:
		want(c.Rate == 0, "--mode closed takes no --rate")
		want(c.Arrival == Arrival{}, "--arrival %v needs a --rate: flat out there is no timetable", c.Arrival)
	default:
		want(false, "--mode is %q, want open or closed", c.Mode)
	}
	want(c.Verify == VerifyNone || c.Verify == VerifyCount || c.Verify == VerifyFull,
		"--verify is %q, want none, count or full", c.Verify)
	want(c.Verify == VerifyNone || c.Settings.Acks != "0" || c.Verify == VerifyFull,
		"--verify count needs acknowledgements; with --acks 0 use full or none")
	want(c.Partitioner == PartitionerClient || c.Partitioner == PartitionerRoundRobin,
		"--partitioner is %q, want client or round-robin", c.Partitioner)
	for _, address := range c.Settings.Brokers {
		errs = append(errs, CheckAddress("--brokers", address))
	}
	c.checkShard(want)
	c.checkFaults(want)
	want(!c.E2E || c.Verify == VerifyFull, "--e2e knows records by the stamps of --verify full")
	want(!c.E2E || c.Sizes.Min() >= StampSize, "--e2e needs values of %d bytes or more: smaller ones have no stamp", StampSize)
	errs = append(errs, checkTopicName(c.Settings.Topic), c.Profiles.check())
	switch c.Settings.Acks {
	case "all", "1", "0":
	default:
		want(false, "--acks is %q, want all, 1 or 0", c.Settings.Acks)
	}
	if _, err := resolvePacer(c.Pacer, c.Senders); err != nil {
		errs = append(errs, fmt.Errorf("--%w", err))
	}
	return errors.Join(errs...)
}

// checkPayload looks at what values consist of, and at what becomes of them.
func (c *Config) checkPayload(want func(ok bool, format string, args ...any)) {
	want(slices.Contains(append(Codecs(), ""), c.Settings.Compression),
		"--compression is %q, want %s", c.Settings.Compression, strings.Join(Codecs(), ", "))
	c.checkPayloadFile(want)
	switch c.Payload {
	case "", PayloadRandom, PayloadOfFile:
	case PayloadText:
		want(c.Compressibility == 0, "--compressibility is for random payloads: text is as it is")
	default:
		want(false, "--payload is %q, want %s or %s", c.Payload, PayloadRandom, PayloadText)
	}
}

// CheckAddress refuses what can not be an address, before anybody dials it.
func CheckAddress(flag, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return fmt.Errorf("%s: %q is not host:port", flag, address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s: %q: %q is not a port", flag, address, port)
	}
	return nil
}

// check refuses files that can not be written.
func (p *Profiles) check() error {
	var errs []error
	for _, name := range []string{p.CPU, p.Heap, p.Mutex, p.Block} {
		if name == "" {
			continue
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the profile can not be written: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Sampling defaults. A prime never keeps step with the records per batch, so
// every place in a batch is sampled alike.
const (
	sampleFlatOut = 61
	sampleBusy    = 17
	busyRate      = 100_000
)

// sampling is how often the clock is read: one in n of the records is stamped
// for service and call time. Response time is noted for each record in an open
// loop unless the user asked for a sample, and never in a closed one.
func (c *Config) sampling() (stamp, response uint32) {
	switch {
	case c.LatencySample > 0:
		return uint32(c.LatencySample), uint32(c.LatencySample)
	case c.Mode == ModeClosed && c.Outstanding == 0 && c.Busy == 0:
		return sampleFlatOut, sampleFlatOut
	case c.Rate > busyRate:
		return sampleBusy, 1
	}
	return 1, 1
}

// share is how many of the measured records a sender sends, by count.
func (c *Config) share(sender int) uint64 {
	n, s := uint64(c.Records), uint64(c.Shard.all(c.Senders))
	own := n / s
	if uint64(c.Shard.first(c.Senders)+sender) < n%s {
		own++
	}
	return own
}
