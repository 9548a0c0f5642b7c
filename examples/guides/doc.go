// Package guides holds the Go code of docs/guides, so that it is compiled and,
// where a cluster in the process is enough, run:
//
//	docs/guides/*.md ── every line of every ```go block ──► a line of this package
//	                 ── every Err… of kring            ──► troubleshooting.md
//
// It is not for import.
package guides
