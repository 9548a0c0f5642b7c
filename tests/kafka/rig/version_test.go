package rig

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestVersion: KAFKA_VERSION wins over pom.xml, has jars of its own, and is
// what a cluster that was started with it says of itself.
func TestVersion(t *testing.T) {
	t.Setenv("KAFKA_VERSION", "")
	r, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if named := r.Version(); !release.MatchString(named) {
		t.Errorf("pom.xml names the release %q", named)
	}
	t.Setenv("KAFKA_VERSION", "3.9.2")
	t.Setenv("KAFKA_DIR", t.TempDir())
	if r, err = Open(); err != nil {
		t.Fatal(err)
	}
	if r.Version() != "3.9.2" || filepath.Base(r.libs()) != "libs-3.9.2" {
		t.Errorf("the release is %s, its jars are in %s", r.Version(), r.libs())
	}
	if got := r.UpVersion(); got != "" {
		t.Errorf("no cluster was made, and it has the release %q", got)
	}
	if err := r.writeProperties(1, 1); err != nil {
		t.Fatal(err)
	}
	if got := r.UpVersion(); got != "3.9.2" {
		t.Errorf("the cluster has the release %q", got)
	}
	for _, wrong := range []string{"4", "4.3", "latest", "../4.3.1", "4.3.1-rc0"} {
		t.Setenv("KAFKA_VERSION", wrong)
		if _, err := Open(); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("KAFKA_VERSION=%s: %v", wrong, err)
		}
	}
}

func TestAtLeast(t *testing.T) {
	tests := []struct {
		version      string
		major, minor int
		want         bool
	}{
		{"3.7.2", 3, 7, true},
		{"3.6.9", 3, 7, false},
		{"3.10.0", 3, 7, true},
		{"4.0.0", 3, 7, true},
		{"3.9.2", 4, 0, false},
		{"unknown", 0, 0, false},
	}
	for _, tc := range tests {
		if got := (&Rig{version: tc.version}).AtLeast(tc.major, tc.minor); got != tc.want {
			t.Errorf("%s at least %d.%d: %v, want %v", tc.version, tc.major, tc.minor, got, tc.want)
		}
	}
}
