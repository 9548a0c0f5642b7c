// Command kbench measures Kafka producers.
//
//	flags ─► bench.Session ─► bench.Execute ─► result ─► table or JSON, exit code
//
// It holds flags, help and exit codes, and nothing else: what a run is, and how
// it is measured and verified, is in package bench.
package main
