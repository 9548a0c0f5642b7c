package guides

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/kringtest"
	"github.com/kring-go/kring/plugin/kringkeystore"
)

const pagesDir = "../../docs/guides"

// pages returns the text of every guide by its file's name.
func pages(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(pagesDir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(text)
	}
	if len(all) < 8 {
		t.Fatalf("%d guides, want at least 8", len(all))
	}
	return all
}

// TestGuidesCompile: every line of a guide's Go code stands in this package.
func TestGuidesCompile(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	compiled := map[string]bool{}
	for _, file := range files {
		code, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(code)) {
			compiled[strings.TrimSpace(line)] = true
		}
	}
	block := regexp.MustCompile("(?s)```go\n(.*?)```")
	blocks := 0
	for name, text := range pages(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			blocks++
			for line := range strings.Lines(m[1]) {
				if line = strings.TrimSpace(line); line != "" && !compiled[line] {
					t.Errorf("%s has Go code that is compiled nowhere: %s", name, line)
				}
			}
		}
	}
	if blocks < 15 {
		t.Errorf("%d blocks of Go code, want at least 15: has their form changed?", blocks)
	}
}

// TestGuidesLead: relative links lead to files.
func TestGuidesLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for name, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(pagesDir, m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
}

// exported returns the package-level names of kring that pick accepts.
func exported(t *testing.T, pick func(ast.Decl) []string) []string {
	t.Helper()
	files, err := filepath.Glob("../../*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range syntax.Decls {
			names = append(names, pick(d)...)
		}
	}
	return names
}

// TestEveryErrorHasAnAnswer: troubleshooting.md has a heading for each exported
// error of kring, and names every code that has a constant.
func TestEveryErrorHasAnAnswer(t *testing.T) {
	page := pages(t)["troubleshooting.md"]
	errs := exported(t, func(d ast.Decl) []string {
		var names []string
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					if strings.HasPrefix(n.Name, "Err") {
						names = append(names, n.Name)
					}
				}
			}
		}
		return names
	})
	if len(errs) < 14 {
		t.Fatalf("found %d errors of kring", len(errs))
	}
	for _, name := range errs {
		if !strings.Contains(page, "\n### `"+name+"`\n") {
			t.Errorf("troubleshooting.md has no heading for %s", name)
		}
	}
	codes := exported(t, func(d ast.Decl) []string {
		var names []string
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, s := range g.Specs {
				if v := s.(*ast.ValueSpec); v.Type != nil {
					if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "KafkaError" && v.Names[0].Name != "None" && v.Names[0].IsExported() {
						names = append(names, v.Names[0].Name)
					}
				}
			}
		}
		return names
	})
	if len(codes) < 40 {
		t.Fatalf("found %d codes of Kafka", len(codes))
	}
	for _, name := range codes {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("troubleshooting.md does not name %s", name)
		}
	}
}

// TestGroupsLeaveByFlush runs tuning.md's producer of groups, and the one whose
// metrics go to the cluster.
func TestGroupsLeaveByFlush(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(1))
	var orders, carts atomic.Int64
	for name, start := range map[string]func() (*kring.Producer, error){
		"grouped": func() (*kring.Producer, error) { return grouped(c.Addrs()...) },
		"shared":  func() (*kring.Producer, error) { return shared(c.Addrs(), &orders, &carts) },
	} {
		p, err := start()
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := p.Produce(t.Context(), kring.Record{Topic: name, Value: []byte("v")}, nil); err != nil {
				t.Error(err)
			}
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		c.Await(t.Context(), name, 3)
		shutdown(p)
	}
}

// TestSnippetsRun runs what a cluster in the process can.
func TestSnippetsRun(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(3))
	for name, start := range map[string]func(...string) (*kring.Producer, error){
		"throughput": throughput, "latency": latency, "different": different, "logged": logged, "compressed": compressed,
		"asFranz": asFranz, "asSarama": asSarama, "asConfluent": asConfluent,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := start(c.Addrs()...)
			if err != nil {
				t.Fatal(err)
			}
			defer shutdown(p)
			before := len(c.Await(t.Context(), name, 0))
			if err := handle(t.Context(), p, newEvents(10)); err != nil {
				t.Error(err)
			}
			if err := many(t.Context(), p, []kring.Record{{Topic: name}, {Topic: name}}); err != nil {
				t.Error(err)
			}
			if err := traced(t.Context(), p, []byte("x")); err != nil {
				t.Error(err)
			}
			if err := measured(p, prometheus.NewRegistry()); err != nil {
				t.Error(err)
			}
			coded := make(chan event, 2)
			coded <- event{ID: []byte("a"), Body: []byte("one")}
			coded <- event{ID: []byte("b")}
			close(coded)
			if err := written(t.Context(), p, coded); err != nil {
				t.Error(err)
			}
			if err := p.Flush(t.Context()); err != nil {
				t.Error(err)
			}
			if n := len(c.Await(t.Context(), name, 0)); n != before+2 {
				t.Errorf("%d records, want %d", n, before+2)
			}
			if u := used(p); u < 0 || u > 1 {
				t.Errorf("%v of the memory is used", u)
			}
		})
	}
	if n := len(c.Await(t.Context(), "orders", 104)); n != 104 {
		t.Errorf("%d orders, want 104", n)
	}
}

// TestSecurityGuide: the options are sound; the files are not there.
func TestSecurityGuide(t *testing.T) {
	if p, err := withFiles(); err == nil || !strings.Contains(err.Error(), "/etc/kafka/") {
		t.Errorf("got %v, %v; want an error that names a file", p, err)
	}
	missing := "bootstrap.servers=broker.example:9093\nsecurity.protocol=SSL\nssl.truststore.location=/etc/kafka/none.jks\n"
	if p, err := withJavaFile(strings.NewReader(missing)); err == nil || !strings.Contains(err.Error(), "/etc/kafka/none.jks") {
		t.Errorf("%v, error %v, want one that names the store", p, err)
	}
	if p, err := withStores(kringkeystore.Secret("x")); err == nil || !strings.Contains(err.Error(), "/etc/kafka/trust.jks") {
		t.Errorf("%v, error %v, want one that names the store", p, err)
	}
	sealed := errors.New("vault is sealed")
	p, err := withVault(func() (*x509.CertPool, []tls.Certificate, error) { return nil, nil, sealed })
	if err == nil || !strings.Contains(err.Error(), sealed.Error()) {
		t.Errorf("%v, error %v, want the vault's", p, err)
	}
	p, err = withTokens("x")
	if err != nil {
		t.Fatal(err)
	}
	shutdown(p)
}

// TestObservabilityGuide: what can be looked at of a cluster in the process.
func TestObservabilityGuide(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(1))
	p, err := throughput(c.Addrs()...)
	if err != nil {
		t.Fatal(err)
	}
	defer shutdown(p)
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	everyMinute(ctx, p, slog.New(slog.NewTextHandler(&log, nil)))
	named(ctx, p, slog.New(slog.NewTextHandler(&log, nil)))
	if log.Len() != 0 { // no minute has passed, and this cluster takes no metrics
		t.Errorf("logged %s", &log)
	}
	if source, err := sourced(p); err != nil || source == nil {
		t.Errorf("%v, %v", source, err)
	}
}

// TestHooksGuide: a batch that is refused once and stored then.
func TestHooksGuide(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(1))
	c.OnProduce(kringtest.Fail(kring.NotEnoughReplicas).Times(1))
	topic := []string{"topic"}
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bytes"}, topic)
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "failed"}, topic)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(bytes, failed)
	var log strings.Builder
	p, err := watched(bytes, failed, slog.New(slog.NewTextHandler(&log, nil)), c.Addrs()...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.ProduceSync(t.Context(), kring.Record{Topic: "orders", Value: []byte("x")}); err != nil {
		t.Error(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != 1 || families[0].GetName() != "bytes" || families[0].GetMetric()[0].GetCounter().GetValue() <= 61 {
		t.Errorf("counted %v", families)
	}
	if !strings.Contains(log.String(), "code=NOT_ENOUGH_REPLICAS batches=1") {
		t.Errorf("logged %q", log.String())
	}
}

// TestTransactionsGuide: a cluster in the process has no coordinator, and says so.
func TestTransactionsGuide(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(1))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if p, err := transactional(ctx, "1", c.Addrs()...); err == nil {
		t.Errorf("got %v without a coordinator", p)
	}
	p, err := throughput(c.Addrs()...)
	if err != nil {
		t.Fatal(err)
	}
	defer shutdown(p)
	if again, err := transform(t.Context(), p, []consumed{{}}, kring.GroupMetadata{}); again || !errors.Is(err, kring.ErrTransactionState) {
		t.Errorf("without a transactional id: %v, %v", again, err)
	}
}

func TestDrained(t *testing.T) {
	c := kringtest.NewCluster(t, kringtest.Partitions(1))
	p, err := throughput(c.Addrs()...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.ProduceSync(t.Context(), kring.Record{Topic: "orders"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no time at all
	if err := p.Produce(t.Context(), kring.Record{Topic: "orders", Value: []byte("kept")}, nil); err != nil {
		t.Fatal(err)
	}
	var kept []string
	if err := drained(ctx, p, func(u kring.Undelivered) { kept = append(kept, string(u.Value)) }); err != nil {
		t.Fatal(err)
	}
	if len(kept) > 1 || len(kept) == 1 && kept[0] != "kept" {
		t.Errorf("kept %q", kept)
	}
}

func newEvents(n int) <-chan []byte {
	ch := make(chan []byte, n)
	for range n {
		ch <- []byte("event")
	}
	close(ch)
	return ch
}

// TestOnDelivery: each outcome goes where delivery-semantics.md says.
func TestOnDelivery(t *testing.T) {
	var safe, open []uint64
	r := kringtest.NewRecorder(t, kringtest.OnDelivery(onDelivery(
		func(tag uint64) { safe = append(safe, tag) },
		func(tag uint64, err error) { inspect(err); open = append(open, tag) },
	)))
	r.Next(kringtest.Delivered(), kringtest.Failed(kring.MessageTooLarge, kring.NotPersisted),
		kringtest.Failed(kring.TopicAuthorizationFailed, kring.PossiblyPersisted))
	for tag := range uint64(3) {
		if err := r.TryProduce(kring.Record{Topic: "orders", Tag: tag, Timestamp: time.UnixMilli(1)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(safe) != 1 || safe[0] != 1 || len(open) != 1 || open[0] != 2 {
		t.Errorf("safe %v, open %v; want [1] and [2]", safe, open)
	}
}
