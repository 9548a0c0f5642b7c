package bench

// SchemaName is the version of Result. Fields may be added to v1; none is
// renamed or removed.
const SchemaName = "kbench.result/v1"

// Result is what a run reports: kbench.result/v1. Every number's key carries
// its unit; times are whole nanoseconds. null means "not measured", never zero.
type Result struct {
	Schema         string       `json:"schema"`
	RunID          RunID        `json:"run_id"`
	Started        string       `json:"started"` // RFC 3339
	Valid          bool         `json:"valid"`
	InvalidReasons []string     `json:"invalid_reasons"`
	Warnings       []string     `json:"warnings"`
	Partial        bool         `json:"partial"`
	Command        []string     `json:"command"`
	Client         ClientInfo   `json:"client"`
	Workload       WorkloadInfo `json:"workload"`
	Env            EnvInfo      `json:"env"`
	Broker         BrokerInfo   `json:"broker"`
	Totals         Totals       `json:"totals"`
	Latency        Latencies    `json:"latency"`
	Cost           Cost         `json:"cost"`
	Verify         VerifyResult `json:"verify"`
	SLO            *SLOResult   `json:"slo"`
	Errors         []ErrorCount `json:"errors"`
	Events         []Event      `json:"events"`
	Intervals      *string      `json:"intervals"` // file name, with --out
	Hlog           *string      `json:"hlog"`
	Profiles       []string     `json:"profiles"`
	// Shard is null for a run on one machine, and for a merged result.
	Shard *ShardInfo `json:"shard"`
	// Ledger is what a reader of the topic needs in order to verify it.
	Ledger *Ledger `json:"ledger,omitempty"`
}

// ClientInfo is who was measured, and with which settings.
type ClientInfo struct {
	Name         string            `json:"name"`
	Version      string            `json:"version"`
	GitSHA       string            `json:"git_sha"`
	Lang         string            `json:"lang"`
	Props        map[string]string `json:"props"`
	IgnoredProps []string          `json:"ignored_props"`
}

// WorkloadInfo is what was asked of it.
type WorkloadInfo struct {
	Mode            Mode    `json:"mode"`
	Arrival         string  `json:"arrival"`
	RateTarget      int64   `json:"rate_target"`
	Outstanding     int     `json:"outstanding"`
	Senders         int     `json:"senders"`
	BusyNs          int64   `json:"busy_ns"` // computed before each record
	Partitioner     string  `json:"partitioner"`
	Size            string  `json:"size"`
	Keys            string  `json:"keys"`
	Payload         string  `json:"payload"` // random, text, or file: and the sum of its values
	Compressibility float64 `json:"compressibility"`
	WarmupNs        int64   `json:"warmup_ns"`
	DurationNs      int64   `json:"duration_ns"` // as measured
	Records         int64   `json:"records"`
	Seed            uint64  `json:"seed"`
	Pacer           string  `json:"pacer"`
	LatencySample   uint32  `json:"latency_sample"`
}

// EnvInfo is where it ran.
type EnvInfo struct {
	Kernel         string  `json:"kernel"`
	CPUModel       string  `json:"cpu_model"`
	CPUs           int     `json:"cpus"`
	CgroupCPUQuota *string `json:"cgroup_cpu_quota"`
	Governor       *string `json:"governor"`
	Clocksource    *string `json:"clocksource"`
	ClockCostNs    int64   `json:"clock_cost_ns"`
	GOMAXPROCS     int     `json:"gomaxprocs"`
	GOGC           string  `json:"gogc"`
	GOMEMLIMIT     *string `json:"gomemlimit"`
	GOAMD64        *string `json:"goamd64"`
	PGO            bool    `json:"pgo"`
	BuildFlags     string  `json:"build_flags"`
	HostnameHash   string  `json:"hostname_hash"`
}

// BrokerInfo is what it ran against.
type BrokerInfo struct {
	Version   *string   `json:"version"`
	Embedded  bool      `json:"embedded"`
	Nodes     int       `json:"nodes"`
	RTTp50Ns  *int64    `json:"rtt_p50_ns"`
	Topic     TopicInfo `json:"topic"`
	Colocated bool      `json:"colocated"`
}

// TopicInfo describes the topic.
type TopicInfo struct {
	Name        string `json:"name"`
	Partitions  int    `json:"partitions"`
	Replication int    `json:"replication"`
	MinISR      *int   `json:"min_isr"`
}

// Totals count records of the measured phase; Warmup counts those before it.
type Totals struct {
	Offered      int64   `json:"offered"` // intended by the timetable, or given to the client
	Sent         int64   `json:"sent"`    // accepted by the client
	Acked        int64   `json:"acked"`
	Failed       int64   `json:"failed"`     // completed with an error
	Rejected     int64   `json:"rejected"`   // not accepted by the client
	Unresolved   int64   `json:"unresolved"` // accepted, and never completed
	Warmup       int64   `json:"warmup"`     // accepted before the measured phase
	Bytes        int64   `json:"bytes"`      // keys and values of Sent
	WindowNs     int64   `json:"window_ns"`  // what the rates and the cost refer to
	WindowAcked  int64   `json:"window_acked"`
	RateAchieved float64 `json:"rate_achieved"` // acknowledged records per second
	Batches      *int64  `json:"batches"`
	Requests     *int64  `json:"requests"`
	BatchBytes   *int64  `json:"batch_bytes"` // of Batches, as they came
}

// Latencies are the distributions; null where a mode has none.
type Latencies struct {
	Response *Latency `json:"response"` // intended send → acknowledged
	Service  *Latency `json:"service"`  // handed over → acknowledged
	Call     *Latency `json:"call"`     // what the caller's goroutine pays
	Lag      *Latency `json:"lag"`      // intended → handed over
	Wake     *Latency `json:"wake"`     // the part of lag that is the harness's
	E2E      *Latency `json:"e2e"`      // intended send, or hand-over where there is none → consumer
}

// Latency summarises one distribution, in nanoseconds.
type Latency struct {
	Unit     string `json:"unit"`
	N        uint64 `json:"n"`
	Sampled  uint32 `json:"sampled"` // one in so many
	Min      int64  `json:"min"`
	Mean     int64  `json:"mean"`
	P50      int64  `json:"p50"`
	P90      int64  `json:"p90"`
	P99      int64  `json:"p99"`
	P999     int64  `json:"p999"`
	P9999    int64  `json:"p9999"`
	Max      int64  `json:"max"`
	Overflow uint64 `json:"overflow"` // beyond 60 s: in n and max, in no percentile below theirs
	HDRv2    string `json:"hdr_v2"`
}

// Cost is what the measured process used during the window.
type Cost struct {
	CPUUserNs         int64   `json:"cpu_user_ns"`
	CPUSysNs          int64   `json:"cpu_sys_ns"`
	CPUPerRecordNs    float64 `json:"cpu_per_record_ns"`
	Allocs            uint64  `json:"allocs"`
	AllocBytes        uint64  `json:"alloc_bytes"`
	AllocsPerRecord   float64 `json:"allocs_per_record"`
	GCCount           uint64  `json:"gc_count"`
	GCPauseP99Ns      int64   `json:"gc_pause_p99_ns"`
	GCPauseMaxNs      int64   `json:"gc_pause_max_ns"`
	SchedLatencyP99Ns int64   `json:"sched_latency_p99_ns"`
	RSSPeakBytes      int64   `json:"rss_peak_bytes"`
	// GCPauseTotalNs is the sum of the pauses, GCCPUNs what the collector took
	// of the processors, idle ones too, and HeapLiveBytes what it last found in
	// use. All are null where no Go runtime holds the library's memory.
	GCPauseTotalNs *int64 `json:"gc_pause_total_ns"`
	GCCPUNs        *int64 `json:"gc_cpu_ns"`
	HeapLiveBytes  *int64 `json:"heap_live_bytes"`
	CtxswVol       int64  `json:"ctxsw_vol"`
	CtxswInvol     int64  `json:"ctxsw_invol"`
	StealNs        *int64 `json:"steal_ns"`
	Syscalls       *int64 `json:"syscalls"`
	SyscallsMethod string `json:"syscalls_method"`
}

// VerifyResult is what was found of the records that were sent.
type VerifyResult struct {
	Mode       VerifyMode `json:"mode"`
	Read       int64      `json:"read"` // records of this run
	Lost       int64      `json:"lost"`
	Duplicated int64      `json:"duplicated"`
	Reordered  int64      `json:"reordered"`
	Corrupt    int64      `json:"corrupt"`
	Foreign    int64      `json:"foreign"` // of somebody else, or too small to tell
	// Misplaced is how many partitions hold other records, or the same at other
	// offsets, than were acknowledged; null where offsets are not known.
	Misplaced *int64 `json:"misplaced_partitions"`
	// CompletedTwice counts completions beyond a record's first.
	CompletedTwice int64    `json:"completed_twice"`
	Stray          int64    `json:"stray"` // completions of tags never sent
	FailedInLog    int64    `json:"failed_in_log"`
	Checked        []string `json:"checked"`
	Note           string   `json:"note"`
	Incomplete     string   `json:"incomplete"` // why not everything could be read
	Problems       []string `json:"problems"`   // the first few, in words
}

// Failed reports whether anything was found wrong.
func (v *VerifyResult) Failed() bool {
	return v.Lost+v.Duplicated+v.Reordered+v.Corrupt+v.CompletedTwice+v.Stray > 0 ||
		v.Misplaced != nil && *v.Misplaced > 0
}

// SLOResult is the verdict on --slo.
type SLOResult struct {
	Expression string   `json:"expression"`
	Met        bool     `json:"met"`
	Breaches   []string `json:"breaches"`
}

// ErrorCount is one kind of error.
type ErrorCount struct {
	Message string `json:"message"`
	Records int64  `json:"records"`
}

// Event is something that happened during the run.
type Event struct {
	TNs    int64  `json:"t_ns"`
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
}
