package rig

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Rig is Apache Kafka in the .kafka folder of this checkout.
type Rig struct {
	root     string // the repository
	dir      string // root/.kafka
	nodes    string // folder of the nodes; empty is dir
	basePort int
	version  string // of Apache Kafka; empty is the one of pom.xml
	extra    []string
}

const (
	defaultPort    = 19091
	controllerStep = 100
	maxNodes       = 3
)

// Open finds the repository from the working directory upwards.
func Open() (*Rig, error) {
	at, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(at, "tests", "kafka", "rig", "pom.xml")); err == nil {
			break
		}
		parent := filepath.Dir(at)
		if parent == at {
			return nil, errors.New("kafka: run this inside the repository: tests/kafka/rig/pom.xml was not found")
		}
		at = parent
	}
	port := defaultPort
	if text := os.Getenv("KAFKA_PORT"); text != "" {
		port, err = strconv.Atoi(text)
		if err != nil || port < 1024 || port > 65_000 {
			return nil, fmt.Errorf("kafka: KAFKA_PORT=%s is not a port between 1024 and 65000", text)
		}
	}
	r := &Rig{
		root: at, dir: filepath.Join(at, ".kafka"), basePort: port,
		nodes: os.Getenv("KAFKA_DIR"), version: os.Getenv("KAFKA_VERSION"),
	}
	if r.version != "" && !release.MatchString(r.version) {
		return nil, fmt.Errorf("kafka: KAFKA_VERSION=%s is not a release like 4.3.1", r.version)
	}
	return r, nil
}

// Configure sets lines that the next Up adds to every node's configuration.
func (r *Rig) Configure(lines ...string) { r.extra = lines }

// Missing returns an error that names the first tool this machine lacks.
func (r *Rig) Missing() error {
	for _, tool := range []string{"java", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("kafka: %s is not on the PATH; Apache Kafka and its reader need a JDK 17 or later", tool)
		}
	}
	if r.haveJars() {
		return nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return errors.New("kafka: mvn is not on the PATH; Maven fetches Apache Kafka's jars")
	}
	return nil
}

// Source returns the path of a file that lies beside this package.
func (r *Rig) Source(name string) string {
	return filepath.Join(r.root, "tests", "kafka", "rig", name)
}

func (r *Rig) nodeDir(node int) string {
	return filepath.Join(cmp.Or(r.nodes, r.dir), "node"+strconv.Itoa(node))
}

func (r *Rig) address(node int) string { return fmt.Sprintf("127.0.0.1:%d", r.basePort+node-1) }

func (r *Rig) controllerAddress(node int) string {
	return fmt.Sprintf("127.0.0.1:%d", r.basePort+controllerStep+node-1)
}

// Bootstrap lists the brokers of the cluster that Up made last, whether they
// run or not.
func (r *Rig) Bootstrap() []string {
	var list []string
	for node := 1; node <= r.Nodes(); node++ {
		list = append(list, r.address(node))
	}
	return list
}

// Nodes returns the size of the cluster that Up made last, 0 if none.
func (r *Rig) Nodes() int {
	for node := maxNodes; node > 0; node-- {
		if _, err := os.Stat(filepath.Join(r.nodeDir(node), "node.properties")); err == nil {
			return node
		}
	}
	return 0
}

// Running returns the nodes that are alive.
func (r *Rig) Running() []int {
	var alive []int
	for node := 1; node <= maxNodes; node++ {
		if _, ok := r.pid(node); ok {
			alive = append(alive, node)
		}
	}
	return alive
}

// Clean removes the nodes' data and logs; the jars stay.
func (r *Rig) Clean() error {
	if alive := r.Running(); len(alive) > 0 {
		return fmt.Errorf("kafka: nodes %v are running", alive)
	}
	for node := 1; node <= maxNodes; node++ {
		if err := os.RemoveAll(r.nodeDir(node)); err != nil {
			return fmt.Errorf("kafka: %w", err)
		}
	}
	return nil
}

// lastLines returns the end of a log file for an error message.
func lastLines(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
