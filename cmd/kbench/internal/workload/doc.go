// Package workload reads descriptions of runs from YAML.
//
//	file.yaml, or a built-in's name ─► Load ─► Workload: flag ─► value ─► kong's flags
//	OpenMessaging Benchmark's YAML  ─► Convert ─► file.yaml
//
// A workload names the flags of kbench run as they are called on the command
// line, without the dashes, and beside them name and description. What the
// command line or the environment says wins over it. Which flags there are, and
// what they take, is for the command line's own parser to say.
package workload
