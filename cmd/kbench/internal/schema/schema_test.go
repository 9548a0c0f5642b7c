package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/kring-go/kring/bench"
)

type node struct {
	Ref        string          `json:"$ref"`
	AnyOf      []node          `json:"anyOf"`
	Type       any             `json:"type"`
	Required   []string        `json:"required"`
	Properties map[string]node `json:"properties"`
	Items      *node           `json:"items"`
	Defs       map[string]node `json:"$defs"`
}

// TestSchemaIsTheStruct walks both: every field is published, required, and
// null exactly where Go's type can be; nothing is published that is not there.
func TestSchemaIsTheStruct(t *testing.T) {
	var root node
	if err := json.Unmarshal([]byte(Text()), &root); err != nil {
		t.Fatal(err)
	}
	visited := 0
	var walk func(path string, typ reflect.Type, n node)
	walk = func(path string, typ reflect.Type, n node) {
		visited++
		for _, option := range n.AnyOf {
			if option.Ref != "" {
				n.Ref = option.Ref
			}
		}
		if n.Ref != "" {
			n = root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Slice {
			walk(path+"[]", typ.Elem(), *n.Items)
			return
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		fields := map[string]bool{}
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "ledger" {
				continue // Between a worker and whoever started it.
			}
			fields[name] = true
			property, ok := n.Properties[name]
			if !ok {
				t.Errorf("%s.%s is not in the schema", path, name)
				continue
			}
			if got, want := nullable(property), f.Type.Kind() == reflect.Pointer; got != want {
				t.Errorf("%s.%s may be null: %t, want %t", path, name, got, want)
			}
			walk(path+"."+name, f.Type, property)
		}
		for name := range n.Properties {
			if !fields[name] {
				t.Errorf("%s.%s is in the schema only", path, name)
			}
		}
		if len(n.Required) != len(fields) {
			t.Errorf("%s: %d fields are required, want all %d", path, len(n.Required), len(fields))
		}
	}
	walk("", reflect.TypeFor[bench.Result](), root)
	if visited < 100 {
		t.Errorf("looked at %d fields: has the form of the schema changed?", visited)
	}
}

func nullable(n node) bool {
	kinds, _ := n.Type.([]any)
	for _, kind := range kinds {
		if kind == "null" {
			return true
		}
	}
	for _, option := range n.AnyOf {
		if option.Type == "null" {
			return true
		}
	}
	return false
}

func TestValidateRefuses(t *testing.T) {
	for _, tc := range []struct{ name, document, want string }{
		{"no JSON", "{", "not JSON"},
		{"no object", "[]", "want object"},
		{"another version", `{"schema":"kbench.result/v2"}`, "/schema"},
		{"missing fields", `{"schema":"kbench.result/v1"}`, "missing properties"},
		{"a fraction of a nanosecond", `{"workload":{"duration_ns":1.5}}`, "/workload/duration_ns"},
		{"an unknown mode", `{"workload":{"mode":"ajar"}}`, "/workload/mode"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Validate(strings.NewReader(tc.document))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
