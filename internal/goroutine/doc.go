// Package goroutine tells goroutines apart, where a call is about to wait and
// would wait for itself.
//
//	Flush, Close, … ──► ID ──► the number that the callback's goroutine has?
package goroutine
