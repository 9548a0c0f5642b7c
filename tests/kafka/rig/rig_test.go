package rig

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testRig is a rig in an empty folder: nothing runs there.
func testRig(t *testing.T) *Rig {
	t.Helper()
	root := t.TempDir()
	return &Rig{root: root, dir: filepath.Join(root, ".kafka"), basePort: defaultPort}
}

func TestPropertiesOfThreeNodes(t *testing.T) {
	r := testRig(t)
	r.Configure("num.partitions=5")
	if err := r.writeProperties(2, 3); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(r.nodeDir(2), "node.properties"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"node.id=2\n",
		"controller.quorum.voters=1@127.0.0.1:19191,2@127.0.0.1:19192,3@127.0.0.1:19193\n",
		"advertised.listeners=PLAINTEXT://127.0.0.1:19092\n",
		"default.replication.factor=3\n", "min.insync.replicas=2\n",
		"broker.session.timeout.ms=3000\n", "broker.heartbeat.interval.ms=500\n",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the properties lack %q", want)
		}
	}
	if !strings.HasSuffix(string(b), "\nnum.partitions=5\n") {
		t.Error("a configured line is not the last word")
	}
}

// TestPIDOfSomebodyElse is a machine that was restarted: the number in the file
// belongs to another process, which must not be taken for the node, nor killed.
func TestPIDOfSomebodyElse(t *testing.T) {
	r := testRig(t)
	if err := r.writeProperties(1, 1); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(os.Getpid()), "1", "0", "-1", "", "x", "99999999"} {
		if err := os.WriteFile(r.pidFile(1), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if pid, alive := r.pid(1); alive {
			t.Errorf("%q: process %d passes for node 1", text, pid)
		}
		if err := r.Kill(1); err == nil {
			t.Errorf("%q: Kill succeeded", text)
		}
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	r := testRig(t)
	if err := r.writeProperties(1, 1); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r.basePort = listener.Addr().(*net.TCPAddr).Port
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"port taken", r.portsFree(1), "address already in use"},
		{"two nodes", r.Up(t.Context(), 2), "2 nodes are not possible"},
		{"no such node", r.Start(3), "there is no node 3"},
		{"not running", r.Kill(1), "node 1 is not running"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) || strings.Contains(tc.err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", tc.err, tc.want)
			}
		})
	}
}

func TestSegmentsAreOfThisTopicOnly(t *testing.T) {
	r := testRig(t)
	for _, name := range []string{"t-0", "t-11", "t-x-0", "tt-0"} {
		dir := filepath.Join(r.nodeDir(1), "data", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "0.log"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := r.segments(1, "t"); len(got) != 2 {
		t.Errorf("segments = %v, want those of t-0 and t-11", got)
	}
}

func TestOptionsOfTheJVM(t *testing.T) {
	r := testRig(t)
	r.Configure(javaLine+"-Done=1", "num.partitions=5", javaLine+"-Dtwo=a b")
	if err := r.writeProperties(1, 1); err != nil {
		t.Fatal(err)
	}
	options, err := javaOptions(filepath.Join(r.nodeDir(1), "node.properties"))
	if want := []string{"-Done=1", "-Dtwo=a b"}; err != nil || !slices.Equal(options, want) {
		t.Errorf("options %q, %v, want %q", options, err, want)
	}
}
