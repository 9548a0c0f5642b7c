// Package senders puts the producers under test behind ledger.Sender.
//
//	kring     ours
//	franz-go  proves that rig and ledger are right, and is compared with
//
// Records are sent from the goroutines of ledger.Drive; completions go to the
// done function on whatever goroutine the client uses.
package senders
