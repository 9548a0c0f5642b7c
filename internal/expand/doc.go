// Package expand undoes what package compress does, for the tools that read
// records: the embedded broker of kbench, kringtest, and kbench's reader. The
// producer links none of it; a test at the root holds that.
//
//	codec, bytes ──► Expand ──► records, at most Limit bytes
package expand
