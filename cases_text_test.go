package kring_test

import (
	"errors"
	"strings"
	"testing"
)

// checkText checks that err is what it should be and says what a reader needs.
func checkText(t *testing.T, err, is error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", is)
	}
	if !errors.Is(err, is) {
		t.Errorf("%v: is not %v", err, is)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q says nothing of %q", err, part)
		}
	}
	if n := strings.Count(err.Error(), "kring: "); n != 1 {
		t.Errorf("%q names the library %d times, want once", err, n)
	}
}
