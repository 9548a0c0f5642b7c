//go:build invariants

package invariant

// Enabled reports whether the self-checks are compiled in.
const Enabled = true
