package rig

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	versionTag = regexp.MustCompile(`<kafka\.version>([^<]+)</kafka\.version>`)
	release    = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
)

// Version returns the Kafka release that KAFKA_VERSION names, or else pom.xml.
func (r *Rig) Version() string {
	if r.version != "" {
		return r.version
	}
	b, err := os.ReadFile(r.Source("pom.xml"))
	if err != nil {
		return "unknown"
	}
	m := versionTag.FindSubmatch(b)
	if m == nil {
		return "unknown"
	}
	return string(m[1])
}

// AtLeast compares the release with another one, by its first two numbers.
func (r *Rig) AtLeast(major, minor int) bool {
	var has, of int
	if n, err := fmt.Sscanf(r.Version(), "%d.%d", &has, &of); n < 2 || err != nil {
		return false
	}
	return has > major || has == major && of >= minor
}

func (r *Rig) libs() string { return filepath.Join(r.dir, "libs-"+r.Version()) }

// haveJars is true once a fetch was complete: the folder gets its name last.
func (r *Rig) haveJars() bool {
	_, err := os.Stat(r.libs())
	return err == nil
}

// Jars fetches Kafka's jars if they are not there.
func (r *Rig) Jars(ctx context.Context) error {
	if err := r.Missing(); err != nil {
		return err
	}
	if r.haveJars() {
		return nil
	}
	if err := r.makeDir(); err != nil {
		return err
	}
	partial, err := os.MkdirTemp(r.dir, "partial-")
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer func() { _ = os.RemoveAll(partial) }() // renamed away if all went well
	if err := r.fetch(ctx, partial, true); err != nil {
		// The tools of a release may come to Maven later than its broker.
		if without := r.fetch(ctx, partial, false); without != nil {
			return err
		}
	}
	if jars, _ := filepath.Glob(filepath.Join(partial, "*.jar")); len(jars) == 0 {
		return fmt.Errorf("kafka: mvn brought no jars")
	}
	if err := os.Rename(partial, r.libs()); err != nil && !r.haveJars() {
		return fmt.Errorf("kafka: %w", err)
	}
	return nil
}

// fetch lets Maven copy the jars. The releases before 4.0 bring another binding
// for the broker's log, which would come first.
func (r *Rig) fetch(ctx context.Context, into string, tools bool) error {
	args := []string{
		"-q", "-B", "-f", r.Source("pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory=" + into,
		"-Dkafka.version=" + r.Version(), "-DexcludeArtifactIds=slf4j-log4j12,slf4j-reload4j",
	}
	if !tools {
		args = append(args, "-Dkafka.without.tools")
	}
	if out, err := exec.CommandContext(ctx, "mvn", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("kafka: mvn could not fetch the jars of %s: %w: %s", r.Version(), err, firstError(string(out)))
	}
	return nil
}

// makeDir makes the folder, which keeps itself out of the repository.
func (r *Rig) makeDir() error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	return nil
}

// firstError returns Maven's first line that says what is wrong.
func firstError(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "[ERROR]") || strings.Contains(line, "[FATAL]") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(out)
}

// Java makes a command that runs Java with Kafka's jars on the class path: a
// main class and its arguments.
func (r *Rig) Java(ctx context.Context, args ...string) *exec.Cmd {
	return r.java(ctx, filepath.Join(r.libs(), "*"), args...)
}

func (r *Rig) java(ctx context.Context, classPath string, args ...string) *exec.Cmd {
	all := append([]string{"-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classPath}, args...)
	return exec.CommandContext(ctx, "java", all...)
}

// Program makes a command that runs one of the .java files beside this package.
// It is compiled once for each state of the source, because starting from the
// source costs seconds of a small machine every time.
func (r *Rig) Program(ctx context.Context, class string, args ...string) (*exec.Cmd, error) {
	path, err := r.compiled(ctx, class)
	if err != nil {
		return nil, err
	}
	return r.java(ctx, path, append([]string{class}, args...)...), nil
}

// compiled compiles one of the .java files beside this package and returns the
// class path that has it, and Kafka's jars.
func (r *Rig) compiled(ctx context.Context, class string) (string, error) {
	source := r.Source(class + ".java")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", fmt.Errorf("kafka: %w", err)
	}
	sum := sha256.Sum256(append(text, r.Version()...)) // compiled against its jars
	classes := filepath.Join(r.dir, fmt.Sprintf("classes-%s-%x", class, sum[:6]))
	if _, err := os.Stat(filepath.Join(classes, class+".class")); err != nil {
		javac := exec.CommandContext(ctx, "javac", "-d", classes, "-cp", filepath.Join(r.libs(), "*"), source)
		if out, err := javac.CombinedOutput(); err != nil {
			return "", fmt.Errorf("kafka: javac %s: %w: %s", class, err, strings.TrimSpace(string(out)))
		}
	}
	return classes + string(os.PathListSeparator) + filepath.Join(r.libs(), "*"), nil
}

// nodePath is the class path of a node: with the .java file that Configure named
// as metric.reporters, if it did.
func (r *Rig) nodePath(ctx context.Context) (string, error) {
	for _, line := range r.extra {
		if class, ok := strings.CutPrefix(line, "metric.reporters="); ok {
			return r.compiled(ctx, class)
		}
	}
	return filepath.Join(r.libs(), "*"), nil
}
