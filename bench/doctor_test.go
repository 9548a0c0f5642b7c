package bench

import (
	"strings"
	"testing"
)

func TestDiagnose(t *testing.T) {
	d, err := Diagnose()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]Check{}
	for _, c := range d.Checks {
		seen[strings.Fields(c.Name)[0]] = c
		if c.OK != (c.Advice == "") || c.Value == "" {
			t.Errorf("%+v: advice is for what is not all right", c)
		}
	}
	for _, want := range []string{"processors", "clock", "pacer"} {
		if _, ok := seen[want]; !ok {
			t.Errorf("%s was not looked at", want)
		}
	}
	if !strings.Contains(seen["pacer"].Value, "p99 ") || d.Env.CPUs < 1 || d.Warnings() > len(d.Checks) {
		t.Errorf("%+v", d)
	}
}
