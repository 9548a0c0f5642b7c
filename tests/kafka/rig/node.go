package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// versionLine begins the line of a node's configuration that says which release
// the node is.
const versionLine = "# Apache Kafka "

// javaLine begins a line of a node's configuration that is an option of its JVM.
const javaLine = "# java "

// UpVersion is the release of the cluster that Up made last; empty if there is
// none.
func (r *Rig) UpVersion() string {
	b, err := os.ReadFile(filepath.Join(r.nodeDir(1), "node.properties"))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	version, ok := strings.CutPrefix(line, versionLine)
	if !ok {
		return ""
	}
	return version
}

// writeProperties writes the configuration of a node in a cluster of n.
func (r *Rig) writeProperties(node, n int) error {
	voters := make([]string, n)
	for i := range voters {
		voters[i] = fmt.Sprintf("%d@%s", i+1, r.controllerAddress(i+1))
	}
	retention := os.Getenv("KAFKA_RETENTION_BYTES") // per partition; for measurements without end
	if retention == "" {
		retention = "-1"
	}
	lines := []string{
		versionLine + r.Version(),
		"process.roles=broker,controller",
		"node.id=" + strconv.Itoa(node),
		"controller.quorum.voters=" + strings.Join(voters, ","),
		"listeners=PLAINTEXT://" + r.address(node) + ",CONTROLLER://" + r.controllerAddress(node),
		"advertised.listeners=PLAINTEXT://" + r.address(node),
		"controller.listener.names=CONTROLLER",
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
		"log.dirs=" + filepath.Join(r.nodeDir(node), "data"),
		"num.partitions=12",
		"auto.create.topics.enable=true",
		fmt.Sprintf("default.replication.factor=%d", n),
		fmt.Sprintf("min.insync.replicas=%d", (n+1)/2),
		fmt.Sprintf("offsets.topic.replication.factor=%d", n),
		fmt.Sprintf("transaction.state.log.replication.factor=%d", n),
		fmt.Sprintf("transaction.state.log.min.isr=%d", (n+1)/2),
		"offsets.topic.num.partitions=3",
		"group.initial.rebalance.delay.ms=0",
		"log.segment.bytes=67108864",
		"log.retention.bytes=" + retention,
		"log.retention.check.interval.ms=5000",
		"log.segment.delete.delay.ms=1000",
		"num.network.threads=1",
		"num.io.threads=2",
		// A killed broker is fenced after three seconds instead of nine.
		"broker.session.timeout.ms=3000",
		"broker.heartbeat.interval.ms=500",
	}
	lines = append(lines, r.extra...) // the last of equal names counts
	path := filepath.Join(r.nodeDir(node), "node.properties")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	return nil
}

func (r *Rig) format(ctx context.Context, node int, clusterID string) error {
	tool := r.Java(ctx, "kafka.tools.StorageTool", "format", "-t", clusterID,
		"-c", filepath.Join(r.nodeDir(node), "node.properties"))
	if out, err := tool.CombinedOutput(); err != nil {
		return fmt.Errorf("kafka: node %d could not be formatted: %w: %s", node, err, firstLine(out))
	}
	return nil
}

// firstLine leaves out the stack trace of a Java tool.
func firstLine(out []byte) []byte {
	line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
	return line
}

func (r *Rig) logFile(node int) string { return filepath.Join(r.nodeDir(node), "kafka.log") }

func (r *Rig) pidFile(node int) string { return filepath.Join(r.nodeDir(node), "pid") }

// portsFree returns an error that names the first port somebody else listens on.
func (r *Rig) portsFree(n int) error {
	for node := 1; node <= n; node++ {
		for _, address := range []string{r.address(node), r.controllerAddress(node)} {
			listener, err := net.Listen("tcp", address)
			if err != nil {
				return fmt.Errorf("kafka: node %d needs %s: %w (KAFKA_PORT chooses others)", node, address, err)
			}
			listener.Close()
		}
	}
	return nil
}

// launch starts the process of a node and notes its pid.
func (r *Rig) launch(node, n int) error {
	path, err := r.nodePath(context.Background())
	if err != nil {
		return err
	}
	log, err := os.OpenFile(r.logFile(node), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer func() { _ = log.Close() }() // the node has its own descriptor
	heap := "1g"
	if n > 1 {
		heap = "768m"
	}
	properties := filepath.Join(r.nodeDir(node), "node.properties")
	args, err := javaOptions(properties)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	args = append(args, "-Xms"+heap, "-Xmx"+heap, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
		"-cp", path, "kafka.Kafka", properties)
	java := exec.Command("java", args...)
	java.Stdout, java.Stderr, java.Dir = log, log, r.nodeDir(node)
	// A session of its own: the node outlives this process and its terminal.
	java.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := java.Start(); err != nil {
		return fmt.Errorf("kafka: node %d: %w", node, err)
	}
	go func() { _ = java.Wait() }() // so that a killed node is not a zombie of ours
	if err := os.WriteFile(r.pidFile(node), []byte(strconv.Itoa(java.Process.Pid)), 0o644); err != nil {
		return errors.Join(fmt.Errorf("kafka: %w", err), java.Process.Kill())
	}
	return nil
}

// javaOptions reads those of a node's configuration.
func javaOptions(properties string) (options []string, err error) {
	b, err := os.ReadFile(properties)
	for line := range strings.Lines(string(b)) {
		if option, ok := strings.CutPrefix(line, javaLine); ok {
			options = append(options, strings.TrimSpace(option))
		}
	}
	return options, err
}

// pid returns the process of a node if it is alive, and surely that node: a
// number in an old file may belong to anybody by now.
func (r *Rig) pid(node int) (int, bool) {
	b, err := os.ReadFile(r.pidFile(node))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 2 {
		return 0, false
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		command, _ = exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	}
	return pid, bytes.Contains(command, []byte(filepath.Join(r.nodeDir(node), "node.properties")))
}

// Kill is kill -9: the node gets no chance to hand over what it leads.
func (r *Rig) Kill(node int) error { return r.signal(node, syscall.SIGKILL, 10*time.Second) }

// signal sends a signal and waits until the process is gone.
func (r *Rig) signal(node int, sig syscall.Signal, patience time.Duration) error {
	pid, alive := r.pid(node)
	if !alive {
		return fmt.Errorf("kafka: node %d is not running", node)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("kafka: node %d, pid %d: %w", node, pid, err)
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, alive := r.pid(node); !alive {
			return nil
		}
	}
	return fmt.Errorf("kafka: node %d, pid %d, is still alive %v after %v", node, pid, patience, sig)
}

// Start starts one node of the cluster again. It does not wait until the node
// is ready; see WaitReady.
func (r *Rig) Start(node int) error {
	if node < 1 || node > r.Nodes() {
		return fmt.Errorf("kafka: there is no node %d; the cluster has %d", node, r.Nodes())
	}
	if _, alive := r.pid(node); alive {
		return fmt.Errorf("kafka: node %d is already running", node)
	}
	return r.launch(node, r.Nodes())
}
