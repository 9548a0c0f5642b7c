package bench

import (
	"strings"
	"testing"
	"time"
)

func TestNewSettings(t *testing.T) {
	str := func(s string) *string { return &s }
	millis := func(n int) *time.Duration {
		d := time.Duration(n) * time.Millisecond
		return &d
	}
	for _, tc := range []struct {
		name  string
		flags SettingFlags
		props []string
		want  func(s *Settings) bool
		bad   string
	}{
		{name: "defaults", want: func(s *Settings) bool {
			return s.Acks == "all" && s.Idempotent && s.Linger == 5*time.Millisecond
		}},
		{name: "acks 1 gives up idempotence", flags: SettingFlags{Acks: str("1")}, want: func(s *Settings) bool {
			return s.Acks == "1" && !s.Idempotent
		}},
		{name: "-1 is all", flags: SettingFlags{Acks: str("-1")}, want: func(s *Settings) bool { return s.Acks == "all" && s.Idempotent }},
		{name: "properties become typed", props: []string{"linger.ms=7", "batch.size=100", "buffer.memory=5000000000", "max.in.flight.requests.per.connection=9", "acks=0"}, want: func(s *Settings) bool {
			return s.Linger == 7*time.Millisecond && s.BatchSize == 100 && s.BufferBytes == 5_000_000_000 &&
				s.MaxInFlight == 9 && s.Acks == "0" && !s.Idempotent && len(s.Props) == 0
		}},
		{name: "others stay", props: []string{"max.block.ms=3", "client.id=a=b"}, want: func(s *Settings) bool {
			return s.Props["max.block.ms"] == "3" && s.Props["client.id"] == "a=b"
		}},
		{name: "agreement is no clash", flags: SettingFlags{Linger: millis(7)}, props: []string{"linger.ms=7"}, want: func(s *Settings) bool {
			return s.Linger == 7*time.Millisecond
		}},
		{name: "compression becomes typed", props: []string{"compression.type=lz4"}, want: func(s *Settings) bool {
			return s.Compression == "lz4" && s.Codec() == "lz4" && len(s.Props) == 0 && s.properties()["compression.type"] == "lz4"
		}},
		{name: "compression by its flag", flags: SettingFlags{Compression: str("zstd")}, want: func(s *Settings) bool { return s.Codec() == "zstd" }},
		{name: "no compression", want: func(s *Settings) bool { return s.Codec() == CompressionNone }},
		{name: "two codecs", flags: SettingFlags{Compression: str("zstd")}, props: []string{"compression.type=lz4"}, bad: "--compression contradicts"},
		{name: "clash", flags: SettingFlags{Linger: millis(5)}, props: []string{"linger.ms=7"}, bad: "--linger contradicts"},
		{name: "acks against idempotence", flags: SettingFlags{Acks: str("1")}, props: []string{"enable.idempotence=true"}, bad: "contradicts"},
		{name: "no number", props: []string{"linger.ms=soon"}, bad: "not a whole number"},
		{name: "no switch", props: []string{"enable.idempotence=yes"}, bad: "true or false"},
		{name: "no value", props: []string{"acks"}, bad: "not name=value"},
		{name: "twice", props: []string{"acks=1", "acks=0"}, bad: "given twice"},
		{name: "brokers", props: []string{"bootstrap.servers=x:1"}, bad: "use --brokers"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			props, err := ParseProps(tc.props)
			var s Settings
			if err == nil {
				s, err = NewSettings(tc.flags, props)
			}
			switch {
			case tc.bad != "" && (err == nil || !strings.Contains(err.Error(), tc.bad)):
				t.Errorf("error %v, want %q in it", err, tc.bad)
			case tc.bad == "" && (err != nil || !tc.want(&s)):
				t.Errorf("settings %+v, error %v", s, err)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"good", func(*Config) {}, ""},
		{"no senders", func(c *Config) { c.Senders = 0 }, "--senders"},
		{"too many senders", func(c *Config) { c.Senders = 5000 }, "--senders"},
		{"nothing to do", func(c *Config) { c.Records = 0 }, "nothing to do"},
		{"open without rate", func(c *Config) { c.Mode = ModeOpen }, "--rate"},
		{"closed with rate", func(c *Config) { c.Rate = 5 }, "takes no --rate"},
		{"open with outstanding", func(c *Config) { c.Mode, c.Rate, c.Outstanding = ModeOpen, 5, 1 }, "--outstanding"},
		{"count without acks", func(c *Config) { c.Settings.Acks, c.Verify = "0", VerifyCount }, "needs acknowledgements"},
		{"verify", func(c *Config) { c.Verify = "some" }, "--verify"},
		{"acks", func(c *Config) { c.Settings.Acks = "2" }, "--acks"},
		{"address", func(c *Config) { c.Settings.Brokers = []string{"localhost"} }, "not host:port"},
		{"port", func(c *Config) { c.Settings.Brokers = []string{"localhost:99999"} }, "not a port"},
		{"pacer", func(c *Config) { c.Pacer = "x" }, "pacer"},
		{"partitioner", func(c *Config) { c.Partitioner = "x" }, "--partitioner"},
		{"compressibility", func(c *Config) { c.Compressibility = 2 }, "--compressibility"},
		{"codec", func(c *Config) { c.Settings.Compression = "LZ4" }, "--compression"},
		{"payload", func(c *Config) { c.Payload = "words" }, "--payload"},
		{"text is as it is", func(c *Config) { c.Payload, c.Compressibility = PayloadText, 0.5 }, "--compressibility is for random"},
		{"text", func(c *Config) { c.Payload = PayloadText }, ""},
		{"profile", func(c *Config) { c.Profiles.CPU = "/no/such/folder/x" }, "profile"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := testConfig()
			tc.change(&c)
			err := c.Validate()
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestSecretsAreRedacted(t *testing.T) {
	s := Settings{Acks: "all", Props: map[string]string{"sasl.jaas.config": "canary", "ssl.key.password": "canary", "client.id": "me"}}
	for name, value := range s.properties() {
		if value == "canary" {
			t.Errorf("%s shows its value", name)
		}
	}
	if s.properties()["client.id"] != "me" {
		t.Error("client.id is hidden")
	}
}

func TestSLO(t *testing.T) {
	r := &Result{
		Workload: WorkloadInfo{RateTarget: 1000},
		Totals:   Totals{RateAchieved: 990, Failed: 2},
		Latency:  Latencies{Response: &Latency{P50: 1e6, P99: 4e6, Max: 9e6}},
	}
	for expression, met := range map[string]bool{
		"p99(response)<5ms":                 true,
		"p99(response)<4ms":                 false,
		"p99(response)<=4ms":                true,
		"p50(response)<2":                   true, // milliseconds
		"max(response)>9ms":                 false,
		"errors==2":                         true,
		"errors==0":                         false,
		"achieved>=99%":                     true,
		"achieved>=99.5%":                   false,
		"rate>=900/s":                       true,
		"p99(response)<5ms, achieved>=99.5": false,
		"p99(call)<1ms":                     false, // not measured
	} {
		t.Run(expression, func(t *testing.T) {
			s, err := parseSLO(expression)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.judge(r); got.Met != met || (len(got.Breaches) == 0) != met {
				t.Errorf("%+v, want met %v", got, met)
			}
		})
	}
	for _, bad := range []string{"p99(response)", "p99<5ms", "p98(response)<1ms", "errors==x", "p99(end)<1ms", "p99(response)<soon", ","} {
		t.Run("bad "+bad, func(t *testing.T) {
			if s, err := parseSLO(bad); err == nil {
				t.Errorf("parsed as %+v", s)
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	good := func() *Result { return &Result{Valid: true} }
	for _, tc := range []struct {
		name   string
		change func(*Result)
		allow  bool
		want   int
	}{
		{"ok", func(*Result) {}, false, ExitOK},
		{"failed", func(r *Result) { r.Totals.Failed = 1 }, false, ExitRuntime},
		{"failed, allowed", func(r *Result) { r.Totals.Failed = 1 }, true, ExitOK},
		{"unresolved", func(r *Result) { r.Totals.Unresolved = 1 }, false, ExitRuntime},
		{"slo", func(r *Result) { r.SLO = &SLOResult{} }, false, ExitSLO},
		{"invalid", func(r *Result) { r.Valid = false }, false, ExitInvalid},
		{"lost beats failed", func(r *Result) { r.Totals.Failed, r.Verify.Lost = 1, 1 }, false, ExitVerify},
		{"lost, errors allowed", func(r *Result) { r.Verify.Lost = 1 }, true, ExitVerify},
		{"partial", func(r *Result) { r.Partial, r.Valid = true, false }, false, ExitInterrupted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := good()
			tc.change(r)
			if got := ExitCode(r, tc.allow, nil); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}
