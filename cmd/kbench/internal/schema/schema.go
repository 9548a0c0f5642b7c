package schema

import (
	"bytes"
	_ "embed" // for the schema
	"fmt"
	"io"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed result.v1.schema.json
var text string

// Text is the schema of kbench.result/v1, a JSON Schema of draft 2020-12.
func Text() string { return text }

// Validate reports every place where a document is not a kbench.result/v1.
func Validate(document io.Reader) error {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		return fmt.Errorf("kbench: the embedded schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("result.json", parsed); err != nil {
		return fmt.Errorf("kbench: the embedded schema: %w", err)
	}
	compiled, err := compiler.Compile("result.json")
	if err != nil {
		return fmt.Errorf("kbench: the embedded schema: %w", err)
	}
	instance, err := jsonschema.UnmarshalJSON(document)
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return compiled.Validate(instance)
}
