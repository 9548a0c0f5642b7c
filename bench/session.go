package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Session is one `kbench run`: a plan, a client, and something to send to.
type Session struct {
	Config  Config
	Library Library
	// Worker, when set, is the program that drives the client in place of
	// Library.
	Worker []string
	// ProcCommand is the program that drives Library as a worker does; Procs of
	// Config need it.
	ProcCommand []string
	// Embedded is the broker to start when Config names no brokers; its Plan
	// and Partitions are filled in. BrokerCommand is the program that serves
	// ServeControl; without it the broker runs in this process.
	Embedded      EmbeddedOptions
	BrokerCommand []string
	Replication   int // of a created topic; 0 is up to 3
	KeepTopic     bool
	OutDir        string
	Intervals     io.Writer // gets a row of CSV per interval, as the folder does; nil for none
	SLO           string
	Messages      io.Writer // for people: the plan and the progress
	TTY           bool
	View          View // in place of lines; nil for none. A worker's lines stay.
}

// Execute checks the plan, prepares the target, runs, verifies and reports. An
// error means that there is no result, or that the one that comes with it could
// not be stored; see ExitCode.
func Execute(ctx context.Context, s Session) (*Result, error) {
	c := &s.Config
	objective, err := s.check()
	if err != nil {
		return nil, UsageError(err)
	}
	out, err := openOutDir(s.OutDir)
	if err != nil {
		return nil, err
	}
	t, err := s.openTarget(ctx)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if !c.Quiet {
		WritePlan(s.Messages, c, s.Library, t.String())
	}
	result, unwritten := s.run(ctx, out)
	if result == nil {
		return nil, unwritten
	}
	if err := t.verify(ctx, result); err != nil {
		return nil, err
	}
	t.describe(result)
	if objective != nil {
		result.SLO = objective.judge(result)
	}
	return result, errors.Join(unwritten, out.write(result, c.Settings.Brokers))
}

// check refuses everything that can be refused before anything is started.
func (s *Session) check() (*slo, error) {
	c := &s.Config
	errs := []error{c.Validate(), s.checkTarget()}
	if s.Library.Check != nil && s.Worker == nil {
		errs = append(errs, s.Library.Check(c.Settings))
	}
	objective, err := parseSLO(s.SLO)
	return objective, errors.Join(append(errs, err)...)
}

func (s *Session) run(ctx context.Context, out *outDir) (*Result, error) {
	if s.Config.several() {
		command := s.Worker
		if command == nil {
			command = s.ProcCommand
		}
		return runProcs(ctx, command, s.Config, s.Messages)
	}
	if s.Worker != nil {
		return runWorker(ctx, s.Worker, s.Config, s.Messages)
	}
	o := Output{TTY: s.TTY}
	o.Intervals = s.Intervals
	if w := out.csv(); w != nil {
		if o.Intervals = w; s.Intervals != nil {
			o.Intervals = io.MultiWriter(w, s.Intervals)
		}
		out.log = newIntervalLog()
		o.log = out.log
	}
	if !s.Config.Quiet {
		o.Progress, o.View = s.Messages, s.View
	}
	return Run(ctx, s.Config, s.Library, o)
}

// target is what the run sends to: an embedded broker, or a topic of a cluster.
type target struct {
	s        *Session
	embedded embedded // nil for a cluster
	access   *Access  // of a cluster
	view     topicView
	created  bool
	from     []int64 // where the run's records begin; nil without verification
	rtt      *int64
	report   BrokerReport
}

// openTarget starts or finds the broker and the topic, and fills in what the
// plan did not know: addresses, topic and partitions.
func (s *Session) openTarget(ctx context.Context) (*target, error) {
	if len(s.Config.Settings.Brokers) == 0 {
		return s.openEmbedded()
	}
	return s.openCluster(ctx)
}

func (s *Session) openEmbedded() (*target, error) {
	c := &s.Config
	t := &target{s: s}
	if c.Settings.Topic == "" {
		c.Settings.Topic = "kbench"
	}
	if c.Partitions == 0 {
		c.Partitions = DefaultPartitions
	}
	o := s.Embedded
	o.Nodes, o.Partitions, o.CheckCRC = max(o.Nodes, 1), c.Partitions, c.Verify != VerifyNone
	if c.Verify == VerifyFull {
		plan := c.verifyPlan()
		o.Plan = &plan
	}
	if c.E2E {
		o.Keep = e2eKeep
	}
	var err error
	if len(s.BrokerCommand) > 0 {
		if t.embedded, err = startChild(s.BrokerCommand, o); err != nil {
			fmt.Fprintf(s.Messages, "note   no process for the broker (%s): it runs in this one, and its CPU time counts\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	}
	if t.embedded == nil || err != nil {
		if t.embedded, err = startLocal(o); err != nil {
			return nil, err
		}
	}
	c.Settings.Brokers = t.embedded.addrs()
	if err := c.placeFaults(numbered(c.Settings.Brokers)); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (s *Session) openCluster(ctx context.Context) (*target, error) {
	c := &s.Config
	a, err := c.Settings.Access()
	if err != nil {
		return nil, err
	}
	t := &target{s: s, access: a}
	temporary := c.Settings.Topic == ""
	if temporary {
		c.Settings.Topic = "kbench-" + c.RunID.String()
	}
	t.view, t.created, err = ensureTopic(ctx, a, c.Settings.Topic, c.Partitions, s.Replication)
	t.created = s.deletes(t.created, temporary)
	if err != nil {
		t.close()
		return nil, err
	}
	if err := c.placeFaults(t.view.brokers); err != nil {
		t.close()
		return nil, err
	}
	c.Partitions = len(t.view.leaders)
	if c.Verify != VerifyNone {
		if t.from, err = listOffsets(ctx, a, c.Settings.Topic, offsetLatest); err != nil {
			t.close()
			return nil, err
		}
	}
	t.rtt = a.roundTrip(ctx)
	return t, nil
}

// deletes decides whether the topic ends with the run. One that the user named
// stays, whoever created it.
func (s *Session) deletes(created, temporary bool) bool {
	return created && temporary && !s.KeepTopic
}

// roundTrip is that of a cluster, for a result; nil where it can not be had.
func (a *Access) roundTrip(ctx context.Context) *int64 {
	k, err := a.dial(ctx)
	if err != nil {
		return nil
	}
	defer k.close()
	rtt, err := k.roundTrip(ctx)
	if err != nil {
		return nil
	}
	return &rtt
}

// roundTrip is the median of a few metadata requests.
func (k *kafkaConn) roundTrip(ctx context.Context) (ns int64, err error) {
	var times [9]int64
	clock := NewClock()
	for i := range times {
		start := clock()
		if _, err := k.describe(ctx, "kbench-round-trip"); err != nil {
			return 0, err
		}
		times[i] = clock() - start
	}
	return median(times[:]), nil
}

// String names the target for the plan.
func (t *target) String() string {
	if _, child := t.embedded.(*childBroker); child {
		return "embedded broker (own process)"
	}
	if t.embedded != nil {
		return "embedded broker (in process)"
	}
	return fmt.Sprintf("kafka at %s", t.s.Config.Settings.Brokers[0])
}

// close ends what openTarget began.
func (t *target) close() {
	if t.embedded != nil {
		if err := t.embedded.close(); err != nil {
			fmt.Fprintf(t.s.Messages, "note   the embedded broker ended with: %v\n", err)
		}
	}
	if t.created {
		// Not the run's context: an interrupted run cleans up as well.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := deleteTopic(ctx, t.access, t.s.Config.Settings.Topic); err != nil {
			fmt.Fprintf(t.s.Messages, "note   topic %s was not deleted: %v\n", t.s.Config.Settings.Topic, err)
		}
	}
}

// describe fills in the result's broker.
func (t *target) describe(r *Result) {
	c := &t.s.Config
	r.Broker = BrokerInfo{
		Embedded: t.embedded != nil, Nodes: max(len(t.view.brokers), t.s.Embedded.Nodes, 1), RTTp50Ns: t.rtt,
		Topic:     TopicInfo{Name: c.Settings.Topic, Partitions: c.Partitions, Replication: max(t.view.replication, 1)},
		Colocated: allLocal(c.Settings.Brokers),
	}
	if t.embedded != nil {
		// What has arrived says more than what was sent.
		stats := t.report.Stats
		r.Totals.Batches, r.Totals.Requests, r.Totals.BatchBytes = &stats.Batches, &stats.Produce, &stats.Bytes
	}
}
