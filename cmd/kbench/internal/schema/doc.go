// Package schema publishes the JSON Schema of kbench.result/v1, and checks
// documents against it.
//
//	result.v1.schema.json ─┬─► kbench schema
//	                       └─► Validate ◄── kbench schema FILE..., tests of run
//
// The schema is written by hand. A test holds it to the fields of bench.Result,
// in both directions.
package schema
