// Package sasl has the ways in which a client proves to a Kafka broker who it
// is: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. It speaks no Kafka:
// a mechanism turns the broker's challenges into replies, and package cluster
// carries both.
//
//	Mechanism ── Start ──► Conversation            one per connection
//	                         │ Step(nil)       ──► first reply  ─► broker
//	                         │ Step(challenge) ──► next reply   ─► broker
//	                         └ Step(challenge) ──► nil: satisfied, or an error
//
// Anything else that implements Mechanism can be used in their place. Package
// oidc fetches tokens for OAUTHBEARER.
//
// # Trust
//
// A challenge is a stranger's text until the last Step has returned nil. SCRAM
// trusts no broker that can not prove that it knows the password too, refuses
// fewer than 4096 iterations (they would make the proof cheap to attack) and
// more than a million (they would keep the client busy for long).
//
// # Secrets
//
// Passwords and tokens are held in closures, which no formatting verb prints,
// also where a mechanism lies in an unexported field of something printed. No
// error of this package contains one. Conversations can tell whether a text
// repeats their secret (Guard), because brokers send texts that end in logs.
//
// # Ownership
//
// A Mechanism is immutable and may be used by any number of goroutines. A
// Conversation belongs to one.
package sasl
