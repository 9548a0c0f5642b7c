package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kring-go/kring/bench/broker"
)

// The test binary serves as the broker's program and as a worker's.
const roleEnv = "KBENCH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "broker":
		if err := ServeControl(os.Stdin, os.Stdout); err != nil {
			os.Exit(ExitRuntime)
		}
		os.Exit(ExitOK)
	case "worker":
		lib := Kring()
		WorkerMain("kring-worker", "7", lib.New)
	case "second fails":
		secondFails()
	case "liar":
		_, _ = os.Stdout.WriteString("{}")
		os.Exit(ExitOK)
	}
	os.Exit(m.Run())
}

// self is this program in another role. The role travels in the environment.
func self(t *testing.T, role string) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(roleEnv, role)
	return []string{exe}
}

func testSession(t *testing.T) (Session, *bytes.Buffer) {
	var messages bytes.Buffer
	c := testConfig()
	c.Settings = Settings{Acks: "all", Idempotent: true, Linger: time.Millisecond, Props: map[string]string{}}
	c.Records, c.Partitions = 20_000, 3
	return Session{Config: c, Library: Kring(), Messages: &messages}, &messages
}

func TestSessionOnEmbeddedBroker(t *testing.T) {
	for _, where := range []string{"in process", "child"} {
		t.Run(where, func(t *testing.T) {
			s, messages := testSession(t)
			if where == "child" {
				s.BrokerCommand = self(t, "broker")
			}
			s.OutDir = filepath.Join(t.TempDir(), "a", "b")
			r, err := Execute(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Totals.Acked != 20_000 || r.Verify.Read != 20_000 || r.Verify.Failed() || r.Verify.Misplaced == nil || ExitCode(r, false, nil) != ExitOK {
				t.Errorf("totals %+v, verify %+v, invalid %q", r.Totals, r.Verify, r.InvalidReasons)
			}
			if !strings.Contains(messages.String(), "embedded broker") || !strings.Contains(messages.String(), "plan ") {
				t.Errorf("messages: %s", messages)
			}
			text, err := os.ReadFile(filepath.Join(s.OutDir, resultFile))
			if err != nil || !json.Valid(text) || bytes.Contains(text, []byte(`"ledger"`)) {
				t.Errorf("result.json: %v, %.100s", err, text)
			}
		})
	}
}

// losing wraps kring and keeps one record to itself.
func losing(lib Library) Library {
	inner := lib.New
	lib.New = func(s Settings, done Done) (Client, error) {
		c, err := inner(s, done)
		return &losingClient{Client: c, done: done}, err
	}
	return lib
}

type losingClient struct {
	Client
	done Done
}

func (c *losingClient) Produce(ctx context.Context, r *Record) error {
	if t := tag(r.Tag).plain(); t == makeTag(1, 777) {
		c.done(r.Tag, 0, 5, nil)
		return nil
	}
	return c.Client.Produce(ctx, r)
}

func TestLosingClientExits4(t *testing.T) {
	for _, mode := range []VerifyMode{VerifyCount, VerifyFull} {
		t.Run(string(mode), func(t *testing.T) {
			s, _ := testSession(t)
			s.Library, s.Config.Verify = losing(s.Library), mode
			r, err := Execute(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verify.Lost != 1 || ExitCode(r, false, nil) != ExitVerify {
				t.Errorf("%+v, exit code %d", r.Verify, ExitCode(r, false, nil))
			}
		})
	}
}

// startCluster is a broker that keeps what it gets, as a cluster would.
func startCluster(t *testing.T, keep int64) *broker.Broker {
	t.Helper()
	b, err := broker.Start(broker.Config{Brokers: 3, Partitions: 4, Verify: broker.VerifyFull, Keep: keep})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestSessionReadsBack(t *testing.T) {
	b := startCluster(t, 0)
	for _, mode := range []VerifyMode{VerifyNone, VerifyCount, VerifyFull} {
		// The same topic each time: what others wrote must not matter.
		t.Run(string(mode), func(t *testing.T) {
			s, _ := testSession(t)
			s.Config.Settings.Brokers, s.Config.Settings.Topic = b.Addrs(), "orders"
			s.Config.Partitions, s.Config.Verify, s.Config.RunID = 0, mode, RunID(len(mode))
			r, err := Execute(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			if r.Totals.Acked != 20_000 || r.Verify.Failed() || r.Broker.Topic.Partitions != 4 || r.Broker.Nodes != 3 {
				t.Errorf("totals %+v, verify %+v, broker %+v", r.Totals, r.Verify, r.Broker)
			}
			if mode == VerifyFull && (r.Verify.Read != 20_000 || r.Verify.Misplaced == nil) {
				t.Errorf("%+v, want every record at its offset", r.Verify)
			}
		})
	}
	t.Run("a lost record", func(t *testing.T) {
		s, _ := testSession(t)
		s.Library = losing(s.Library)
		s.Config.Settings.Brokers, s.Config.Partitions = b.Addrs(), 0
		r, err := Execute(context.Background(), s)
		if err != nil || r.Verify.Lost != 1 {
			t.Errorf("%v, %+v", err, r)
		}
	})
	t.Run("other partitions", func(t *testing.T) {
		s, _ := testSession(t)
		s.Config.Settings.Brokers, s.Config.Settings.Topic, s.Config.Partitions = b.Addrs(), "orders", 9
		if _, err := Execute(context.Background(), s); ExitCode(nil, false, err) != ExitUsage {
			t.Errorf("error %v, want one about --partitions", err)
		}
	})
}

func TestRetentionIsNotLoss(t *testing.T) {
	b := startCluster(t, 1<<20)
	s, _ := testSession(t)
	s.Config.Settings.Brokers, s.Config.Partitions = b.Addrs(), 0
	r, err := Execute(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Verify.Failed() || r.Verify.Incomplete == "" || ExitCode(r, false, nil) != ExitInvalid {
		t.Errorf("%+v, want an incomplete verification", r.Verify)
	}
}

func TestSessionErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		change func(*Session)
		text   string
		code   int
	}{
		{"nobody listens", func(s *Session) { s.Config.Settings.Brokers = []string{"127.0.0.1:1"} }, "no broker answers", ExitRuntime},
		{"no address", func(s *Session) { s.Config.Settings.Brokers = []string{"x"} }, "not host:port", ExitUsage},
		{"folder", func(s *Session) { s.OutDir = filepath.Join(file, "sub") }, "--out", ExitUsage},
		{"slo", func(s *Session) { s.SLO = "fast" }, "--slo", ExitUsage},
		{"property", func(s *Session) { s.Config.Settings.Props["lingr.ms"] = "1" }, "linger.ms", ExitUsage},
		{"no worker", func(s *Session) { s.Worker = []string{filepath.Join(file, "nobody")} }, "worker", ExitRuntime},
		{"missing worker", func(s *Session) { s.Worker = []string{filepath.Join(filepath.Dir(file), "nobody")} }, "skipped", ExitSkipped},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := testSession(t)
			tc.change(&s)
			_, err := Execute(context.Background(), s)
			if err == nil || !strings.Contains(err.Error(), tc.text) || ExitCode(nil, false, err) != tc.code {
				t.Errorf("error %v with code %d, want %q and %d", err, ExitCode(nil, false, err), tc.text, tc.code)
			}
		})
	}
}

func TestOnlyTemporaryTopicsAreDeleted(t *testing.T) {
	for _, tc := range []struct{ created, temporary, keep, want bool }{
		{created: true, temporary: true, want: true},
		{created: true, temporary: true, keep: true},
		{created: true},
		{temporary: true},
		{},
	} {
		s := Session{KeepTopic: tc.keep}
		if got := s.deletes(tc.created, tc.temporary); got != tc.want {
			t.Errorf("%+v: deletes is %v", tc, got)
		}
	}
}

func TestWorkerProgram(t *testing.T) {
	s, _ := testSession(t)
	s.Worker = self(t, "worker")
	r, err := Execute(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	if r.Client.Name != "kring-worker" || r.Client.Version != "7" || r.Totals.Acked != 20_000 || r.Verify.Read != 20_000 || r.Verify.Failed() {
		t.Errorf("client %+v, totals %+v, verify %+v", r.Client, r.Totals, r.Verify)
	}
	s, _ = testSession(t)
	s.Worker = self(t, "liar")
	if _, err := Execute(context.Background(), s); err == nil || !strings.Contains(err.Error(), SchemaName) {
		t.Errorf("error %v, want one about the schema", err)
	}
}

func TestWorkerRefusesBadPlans(t *testing.T) {
	lib := (&fakeClient{}).library()
	for name, args := range map[string][]string{"no json": {"{"}, "no file": {"/no/such/plan"}, "invalid": {"{}"}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := workerRun(context.Background(), lib, args, strings.NewReader(""), &out, &out)
			var coded *codedError
			if !errors.As(err, &coded) || coded.code != ExitUsage || out.Len() > 0 {
				t.Errorf("error %v, output %q", err, &out)
			}
		})
	}
}
