// Command kbench measures Kafka producers, and makes something of the results.
//
//	flags ─► bench.Session ─► bench.Execute ─► result ─► table, JSON, gobench, exit code
//	                                             │
//	                                    result.json, latency.hlog
//	                                             │
//	   internal/runs ◄───────────────────────────┘
//	     ├─► internal/diff     kbench diff: medians, significance, gates
//	     ├─► internal/report   kbench report: HTML, SVG, Markdown
//	     ├─► internal/gobench  lines for benchstat
//	     └─► internal/schema   kbench schema: what a result looks like
//
//	internal/workload  YAML files in place of flags, before all of this
//	internal/view      the panel on a terminal, while it runs
//	internal/stages    kbench run --profile: time per record by stage
//
// kbench compare (internal/compare) executes client after client, round after
// round, and kbench ramp (internal/ramp) rate after rate; their files are
// results like any other. kbench worker is kring as a process of its own.
//
// What a run is, and how it is measured and verified, is in package bench of
// the library's module. This is a module of its own, so that what draws charts
// and tests hypotheses is no dependency of those who only send records.
package main
