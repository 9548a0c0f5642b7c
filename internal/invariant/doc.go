// Package invariant switches the self-checks of the lock-free packages.
//
// Enabled is a constant, so a check that starts with "invariant.Enabled &&"
// costs nothing in a build without the tag:
//
//	go test -tags invariants ./...
//
// A violated invariant panics with the values that violate it: the program is
// wrong, and going on could send a record to another topic.
package invariant
