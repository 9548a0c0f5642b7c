// Package txnbook holds what transactional producers have said about their
// transactions against what a reader of committed records saw.
//
//	producer process ── lines ──► Note   begin, try, committed, aborted
//	reader ──────────── values ─► Read
//	                              Verdict
//
// What a producer said last before it was killed decides what may be seen:
//
//	begin, aborted   nothing
//	try              all records once, or nothing
//	committed        all records once
package txnbook
