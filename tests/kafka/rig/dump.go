package rig

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
)

// Dumped is what DumpLogSegments found on one node.
type Dumped struct {
	Node                       int
	Segments, Batches, Records int
}

func (d Dumped) String() string {
	return fmt.Sprintf("node %d: %d segments, %d batches, %d records, all valid", d.Node, d.Segments, d.Batches, d.Records)
}

// Dump lets Kafka's DumpLogSegments read every segment of a topic on every
// node, record by record. Anything it finds wrong is an error. The nodes may
// run, but nobody should be writing to the topic.
func (r *Rig) Dump(ctx context.Context, topic string) ([]Dumped, error) {
	var all []Dumped
	for node := 1; node <= r.Nodes(); node++ {
		files := r.segments(node, topic)
		if len(files) == 0 {
			continue
		}
		d, err := r.dumpNode(ctx, files)
		if err != nil {
			return nil, fmt.Errorf("kafka: topic %s on node %d: %w", topic, node, err)
		}
		d.Node = node
		all = append(all, d)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("kafka: topic %s has no segments on any node", topic)
	}
	return all, nil
}

func (r *Rig) dumpNode(ctx context.Context, files []string) (Dumped, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	class := "org.apache.kafka.tools.DumpLogSegments"
	if !r.AtLeast(4, 0) {
		class = "kafka.tools.DumpLogSegments"
	}
	tool := r.Java(ctx, class, "--deep-iteration", "--files", strings.Join(files, ","))
	var stderr bytes.Buffer
	tool.Stderr = &stderr
	out, err := tool.StdoutPipe()
	if err != nil {
		return Dumped{}, err
	}
	if err := tool.Start(); err != nil {
		return Dumped{}, err
	}
	d, scanErr := scanDump(out)
	if scanErr != nil {
		cancel()
		_ = tool.Wait() // it was interrupted: scanErr is the reason
		return Dumped{}, scanErr
	}
	if err := tool.Wait(); err != nil {
		return Dumped{}, fmt.Errorf("DumpLogSegments: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	if complaint := foldComplaints(stderr.String()); complaint != "" {
		return Dumped{}, fmt.Errorf("DumpLogSegments: %s", complaint)
	}
	if d.Segments != len(files) {
		return Dumped{}, fmt.Errorf("DumpLogSegments read %d of %d segments", d.Segments, len(files))
	}
	return d, nil
}

// foldComplaints returns what is left of the tool's complaints without a false
// one: with --deep-iteration it expects every segment to begin at offset 0, and
// says of each other one that -1 is followed by its first offset. Where that is
// the base offset in the file's name, nothing is missing.
func foldComplaints(stderr string) string {
	var rest, file string
	for line := range strings.Lines(stderr) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Non-consecutive offsets in "); ok {
			file = strings.TrimPrefix(name, ":")
			continue
		}
		number, first := strings.CutPrefix(strings.TrimSpace(line), "-1 is followed by ")
		if offset, err := strconv.ParseInt(number, 10, 64); first && err == nil && offset == baseOffset(file) {
			continue
		}
		if strings.TrimSpace(line) != "" {
			rest += "; " + file + ": " + strings.TrimSpace(line)
		}
	}
	return strings.TrimPrefix(rest, "; ")
}

// baseOffset is the first offset of a segment, from its name.
func baseOffset(file string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(file), ".log"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// dumpScan follows the output of the tool.
type dumpScan struct {
	Dumped
	counted   int    // records that the batches claim
	partition string // folder of the current segment
	next      int64  // the offset that must come now
}

// scanDump reads the tool's output. Every line must be of a known kind, so that
// a complaint in words that we do not know fails as well. Offsets must be dense
// within a segment and from one segment of a partition to the next.
func scanDump(r io.Reader) (Dumped, error) {
	var d dumpScan
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<20), 16<<20)
	for lines.Scan() {
		if err := d.line(lines.Text()); err != nil {
			return d.Dumped, err
		}
	}
	if err := lines.Err(); err != nil {
		return d.Dumped, err
	}
	if d.Records != d.counted {
		return d.Dumped, fmt.Errorf("%d records in batches that count %d", d.Records, d.counted)
	}
	return d.Dumped, nil
}

func (d *dumpScan) line(line string) error {
	switch {
	case strings.HasPrefix(line, "| offset: "):
		offset, ok := numberAfter(line, "| offset: ")
		if !ok || offset != d.next {
			return fmt.Errorf("%s: want offset %d: %s", d.partition, d.next, line)
		}
		d.next++
		d.Records++
	case strings.HasPrefix(line, "baseOffset:") && strings.HasSuffix(line, "isvalid: true"):
		n, ok := numberAfter(line, " count: ")
		if !ok {
			return fmt.Errorf("a batch without a count: %s", line)
		}
		d.Batches++
		d.counted += int(n)
	case strings.HasPrefix(line, "Dumping "):
		return d.segment(strings.TrimPrefix(line, "Dumping "))
	case strings.HasPrefix(line, "Log starting offset:") || line == "":
	default:
		return fmt.Errorf("DumpLogSegments says: %s", line)
	}
	return nil
}

func (d *dumpScan) segment(file string) error {
	partition := filepath.Dir(file)
	if partition != d.partition {
		d.partition, d.next = partition, 0
	}
	if base := baseOffset(file); base != d.next {
		return fmt.Errorf("%s begins at offset %d, want %d", file, base, d.next)
	}
	d.Segments++
	return nil
}

func numberAfter(line, label string) (int64, bool) {
	_, rest, ok := strings.Cut(line, label)
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseInt(number, 10, 64)
	return n, err == nil
}
