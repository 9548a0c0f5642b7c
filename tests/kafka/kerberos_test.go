//go:build kafka

package kafka_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	krb5 "github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/plugin/kringgssapi"
	"github.com/kring-go/kring/plugin/kringkeystore"
	"github.com/kring-go/kring/sasl"

	"github.com/kring-go/kring/tests/kafka/rig"
	"github.com/kring-go/kring/tests/ledger"
)

// Of every user but those that are locked out.
const kerberosPassword = "canary-hunter2"

// kerberized is a node that wants Kerberos, and the KDC of its realm.
type kerberized struct {
	secure
	*rig.KDC
	node  *rig.Kerberos
	files map[string]string // keytabs and ticket caches
}

// TestKerberos runs on one node and one KDC that are started for it.
func TestKerberos(t *testing.T) {
	r, err := rig.Open()
	if err != nil {
		t.Fatal(err)
	}
	kdc, err := r.NewKDC(t.Context(), t.TempDir())
	switch {
	case errors.Is(err, exec.ErrNotFound):
		unavailable(t, err.Error())
	case err != nil:
		t.Fatal(err)
	}
	startedKDC.Store(kdc)
	t.Cleanup(func() {
		if err := kdc.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := kdc.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := kerberized{KDC: kdc, files: map[string]string{}}
	s.users(t)
	if s.node, err = r.Kerberos(t.Context(), t.TempDir(), kdc, sessionTime); err != nil {
		t.Fatal(err)
	}
	s.secure = secure{need(t, 1, s.node.Lines...), nil}
	t.Run("logins", s.testLogins)
	t.Run("sessions", s.testSessions)
	t.Run("outage", s.testOutage)
	t.Run("refused", s.testRefusals)
}

// users makes those whom the tests log in as.
func (s kerberized) users(t *testing.T) {
	t.Helper()
	must := func(path string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	must("", s.Admin(t.Context(),
		"addprinc +requires_preauth -pw "+kerberosPassword+" app",
		"addprinc +requires_preauth -maxlife \"4 seconds\" -pw "+kerberosPassword+" brief",
		"addprinc -pw "+kerberosPassword+" easy", // its KDC gives a ticket to anybody, for the password to open
		"addprinc +requires_preauth -maxlife \"1 second\" -pw "+kerberosPassword+" moment",
		"addprinc +requires_preauth -expire yesterday -pw "+kerberosPassword+" left",
		"addprinc +requires_preauth -pw "+kerberosPassword+" moved"))
	for _, name := range []string{"app", "brief", "moved"} {
		s.files[name+".keytab"] = must(s.Keytab(t.Context(), name+".keytab", name))
	}
	must("", s.Admin(t.Context(), "cpw -pw "+kerberosPassword+"-2 moved")) // version 2 of its keys
	for _, name := range []string{"app", "brief", "moment"} {
		s.files[name+".ccache"] = must(s.Kinit(t.Context(), name+".ccache", name, kerberosPassword))
	}
}

// kept makes a client of gokrb5 that keeps its tickets.
func (s kerberized) kept(t *testing.T, user, conf string) sasl.Mechanism {
	t.Helper()
	loaded, err := config.Load(conf)
	if err != nil {
		t.Fatal(err)
	}
	c := krb5.NewWithPassword(user, rig.Realm, kerberosPassword, loaded)
	t.Cleanup(c.Destroy)
	return kringgssapi.FromClient(c, kringgssapi.Settings{})
}

// javas are the options of a Java client's properties alone, with these options of
// its login module.
func (s kerberized) javas(t *testing.T, address, module string, settings kringgssapi.Settings) []kring.Option {
	t.Helper()
	properties := s.properties(address)
	properties["sasl.kerberos.service.name"] = "kafka"
	properties["sasl.jaas.config"] = "com.sun.security.auth.module.Krb5LoginModule required " + module + ";"
	settings.ServiceName = "not-this"
	login, rest, err := kringgssapi.FromJava(properties, settings)
	if err != nil {
		t.Fatal(err)
	}
	options, err := kringkeystore.FromProperties(rest)
	if err != nil {
		t.Fatal(err)
	}
	return append(options, kring.SASL(login))
}

// properties are a Java client's, but for its login.
func (s kerberized) properties(address string) map[string]string {
	properties := map[string]string{"bootstrap.servers": address, "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI"}
	if address == s.node.TLS {
		properties["security.protocol"] = "SASL_SSL"
		properties["ssl.truststore.type"], properties["ssl.truststore.location"] = "PEM", s.node.CA
	}
	return properties
}

// options are a Java client's properties, and a login of the test's.
func (s kerberized) options(t *testing.T, address string, login sasl.Mechanism) []kring.Option {
	t.Helper()
	option, err := kring.FromProperties(s.properties(address))
	if err != nil {
		t.Fatal(err)
	}
	return []kring.Option{option, kring.SASL(login)}
}

// testLogins sends some records with each kind of login and both types of keys,
// each of which the KDC gives out for one of the listeners.
func (s kerberized) testLogins(t *testing.T) {
	for _, listener := range []struct{ name, address, host, keys string }{
		{"plain TCP", s.node.Plain, "localhost", rig.AES256SHA1},
		{"TLS", s.node.TLS, "127.0.0.1", rig.AES256SHA384},
	} {
		conf, err := s.ConfWith(listener.keys)
		if err != nil {
			t.Fatal(err)
		}
		settings := kringgssapi.Settings{ServiceName: "kafka", Krb5Conf: conf}
		for _, tc := range []struct {
			name  string
			login sasl.Mechanism
			java  string // options of its login module, in place of login
		}{
			{"keytab", kringgssapi.Keytab("app@"+rig.Realm, s.files["app.keytab"], settings), ""},
			{"password", kringgssapi.Password("app", kerberosPassword, settings), ""},
			{"no pre-authentication", kringgssapi.Password("easy", kerberosPassword, settings), ""},
			{"ticket cache", kringgssapi.CCache(s.files["app.ccache"], settings), ""},
			{"a client", s.kept(t, "app", conf), ""},
			{"keytab of Java", nil, `useKeyTab=true storeKey=true keyTab="` + s.files["app.keytab"] + `" principal="app@` + rig.Realm + `"`},
			{"ticket cache of Java", nil, `useTicketCache=true ticketCache="` + s.files["app.ccache"] + `" principal="app"`},
		} {
			t.Run(listener.name+" "+tc.name, func(t *testing.T) {
				before := len(s.Log())
				plan := newPlan(t, s.topic(t, 4), 4, 2000)
				options := s.options(t, listener.address, tc.login)
				if tc.login == nil {
					options = s.javas(t, listener.address, tc.java, settings)
				}
				s.produce(t, plan, ledger.Pace{}, ledger.Rules{}, options...)
				keys := regexp.QuoteMeta(listener.keys) + `\(\d+\)`
				issued := regexp.MustCompile(`TGS_REQ .* ISSUE: .*tkt=` + keys + `, ses=` + keys + `\}, .* for kafka/` + regexp.QuoteMeta(listener.host) + `@`)
				if log := s.Log()[before:]; !issued.MatchString(log) {
					t.Errorf("the KDC has not given a ticket of %s for kafka/%s: %s", listener.keys, listener.host, log)
				}
			})
		}
	}
}

// attempts counts the connections to the broker.
type attempts struct {
	made   atomic.Int32
	failed atomic.Pointer[error] // the first
	made1  chan struct{}         // closed by the first
	broken chan struct{}         // closed by the first that failed
	once   [2]sync.Once
}

func newAttempts() *attempts {
	return &attempts{made1: make(chan struct{}), broken: make(chan struct{})}
}

func (a *attempts) OnBrokerConnect(e kring.BrokerConnect) {
	if e.Err != nil {
		a.once[1].Do(func() {
			a.failed.Store(&e.Err)
			close(a.broken)
		})
		return
	}
	a.made.Add(1)
	a.once[0].Do(func() { close(a.made1) })
}

// testSessions produces for several sessions with tickets that end meanwhile.
// The login has to get new ones; no record may be lost, doubled, or refused.
func (s kerberized) testSessions(t *testing.T) {
	settings := kringgssapi.Settings{Krb5Conf: s.Conf}
	var running sync.WaitGroup
	defer running.Wait()
	for _, tc := range []struct {
		name, address string
		login         sasl.Mechanism
	}{
		{"keytab", s.node.TLS, kringgssapi.Keytab("brief", s.files["brief.keytab"], settings)},
		{"ticket cache", s.node.Plain, kringgssapi.CCache(s.files["brief.ccache"], settings)},
		{"a client", s.node.TLS, s.kept(t, "brief", s.Conf)},
	} {
		// Side by side, however many processors there are: mostly they wait.
		running.Go(func() {
			t.Run(tc.name, func(t *testing.T) {
				stop := func() {}
				if tc.name == "ticket cache" {
					stop = s.keepTicket(t)
				}
				defer stop()
				seen := newAttempts()
				stats := s.pacedSessions(t, 4, append(s.options(t, tc.address, tc.login), kring.Hooks(seen))...)
				n := seen.made.Load()
				if n < 4 {
					t.Errorf("%d connections in %v, want one for each session of %v", n, 4*sessionTime, sessionTime)
				}
				if 2*stats.Disconnects > uint64(n) { // as in TestSecurity
					t.Errorf("the broker ended %d of %d connections: they were not renewed in time", stats.Disconnects, n)
				}
				// kinit may come late where the machine stands still; the records wait for it.
				if err := seen.failed.Load(); err != nil && !strings.Contains((*err).Error(), "run kinit") {
					t.Errorf("a login has failed: %v", *err)
				}
			})
		})
	}
}

// keepTicket renews the ticket cache, as a cron job does.
func (s kerberized) keepTicket(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	renew := func() {
		fresh, err := s.Kinit(ctx, "brief.fresh", "brief", kerberosPassword)
		if err == nil {
			err = os.Rename(fresh, s.files["brief.ccache"]) // kinit itself would write in place
		}
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}
	renew()
	running.Go(func() {
		tick := time.NewTicker(time.Second / 2)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				renew()
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// pacedSessions produces for n sessions' time.
func (s kerberized) pacedSessions(t *testing.T, n int, options ...kring.Option) kring.Stats {
	t.Helper()
	const interval = time.Millisecond
	plan := newPlan(t, s.topic(t, 4), 4, n*int(sessionTime/interval))
	plan.Sizes = ledger.FixedSize(200)
	stats := s.produce(t, plan, ledger.Pace{Start: time.Now(), Interval: interval}, ledger.Rules{}, options...)
	t.Logf("%d disconnects, %d retries", stats.Disconnects, stats.Retries)
	return stats
}

// testOutage stops the KDC while logins have to be renewed. Who keeps tickets
// does not notice; who asks each time holds the records back until it answers.
func (s kerberized) testOutage(t *testing.T) {
	asks, keeps := newAttempts(), newAttempts()
	var running sync.WaitGroup
	defer running.Wait()
	for _, tc := range []struct {
		name  string
		login sasl.Mechanism
		seen  *attempts
	}{
		{"password", kringgssapi.Password("app", kerberosPassword, kringgssapi.Settings{Krb5Conf: s.Conf}), asks},
		{"a client", s.kept(t, "app", s.Conf), keeps},
	} {
		running.Go(func() {
			t.Run(tc.name, func(t *testing.T) {
				s.pacedSessions(t, 3, append(s.options(t, s.node.Plain, tc.login), kring.Hooks(tc.seen))...)
				if n := tc.seen.made.Load(); n < 2 {
					t.Errorf("%d connections, want one for each session", n)
				}
				err := tc.seen.failed.Load()
				if (err != nil) != (tc.seen == asks) || err != nil && !strings.Contains((*err).Error(), ": no KDC answers") {
					t.Errorf("first failed connection: %v", err)
				}
			})
		})
	}
	for _, seen := range []*attempts{asks, keeps} {
		await(t, seen.made1)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	await(t, asks.broken)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("without the KDC: %v", *asks.failed.Load())
}

func await(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("nothing happened for a minute")
	}
}

// testRefusals: Produce says soon, and in words, who refuses the login and why.
func (s kerberized) testRefusals(t *testing.T) {
	if err := s.node.StaleKeys(t.Context(), s.KDC); err != nil {
		t.Fatal(err)
	}
	settings := kringgssapi.Settings{Krb5Conf: s.Conf}
	conf, err := os.ReadFile(s.Conf)
	if err != nil {
		t.Fatal(err)
	}
	// The KDC counts in seconds, so no clock is exactly its.
	noSkew := kringgssapi.Settings{Krb5Conf: filepath.Join(t.TempDir(), "krb5.conf")}
	if err := os.WriteFile(noSkew.Krb5Conf, append([]byte("[libdefaults]\n clockskew = 0\n"), conf...), 0o600); err != nil {
		t.Fatal(err)
	}
	service := func(name string) sasl.Mechanism {
		return kringgssapi.Password("app", kerberosPassword, kringgssapi.Settings{Krb5Conf: s.Conf, ServiceName: name})
	}
	password := func(user, password string) sasl.Mechanism { return kringgssapi.Password(user, password, settings) }
	for _, tc := range []struct {
		name, address string
		login         sasl.Mechanism
		want          string
		auth          bool
	}{
		{"wrong password", s.node.Plain, password("app", "canary-no"), "the password is wrong", true},
		{"wrong password, no pre-authentication", s.node.Plain, password("easy", "canary-no"), "the password is wrong", true},
		{"unknown principal", s.node.Plain, password("nobody", kerberosPassword), "does not know the principal", true},
		{"principal that has ended", s.node.Plain, password("left", kerberosPassword), "the principal has ended", true},
		{"keytab of old keys", s.node.Plain, kringgssapi.Keytab("moved", s.files["moved.keytab"], settings), "older than the last change", true},
		{"keytab of somebody else", s.node.Plain, kringgssapi.Keytab("easy", s.files["app.keytab"], settings), "no key of the principal", true},
		{"ticket that has ended", s.node.Plain, kringgssapi.CCache(s.files["moment.ccache"], settings), "run kinit", true},
		{"unknown broker", s.node.Plain, service("other"), "does not know the broker by this name", true},
		{"name of another broker", s.node.Plain, service("stale"), "that its keytab has the keys", true},
		{"broker with old keys", s.node.Stale, service("stale"), "that its keytab has the keys", true},
		{"clocks", s.node.Plain, kringgssapi.Password("app", kerberosPassword, noSkew), "the clock of this machine", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			expectRefusal(t, s.options(t, tc.address, tc.login), tc.want, tc.auth)
		})
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Run("no KDC", func(t *testing.T) {
		expectRefusal(t, s.options(t, s.node.Plain, password("app", kerberosPassword)), "no KDC answers", false)
	})
}
