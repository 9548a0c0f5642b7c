// Package kringgssapi logs in with Kerberos: the mechanism GSSAPI (RFC 4752), in
// pure Go (gokrb5). It is a module of its own, so that kring does not depend on
// a Kerberos library.
//
//	keytab, password ─► KDC: ticket for kafka/<host of the broker>
//	or ticket cache            │
//	                           ▼
//	      1  AP-REQ: ticket, authenticator, fresh key ──► broker
//	      2  broker ──► wrapped: "these layers, so many bytes"
//	      3  wrapped: "no layer"                      ──► broker: logged in
//
//	login := kringgssapi.Keytab("app@EXAMPLE.COM", "/etc/app.keytab", kringgssapi.Settings{})
//	kring.New(kring.TLS(nil), kring.SASL(login), …)
//
// # Trust
//
// The ticket can be opened by the broker's key only, and with it the fresh key;
// the broker's message in step 2 is signed with that, so the broker has proved
// who it is before the client says its last word. As everywhere in Kafka there
// is no security layer afterwards: use TLS, or whoever is on the way takes the
// connection over.
//
// # Tickets
//
// Each login asks the KDC anew, so that a keytab, a ticket cache or krb5.conf
// that is replaced serves the next connection, and nothing has to be closed.
// Brokers are dialled seldom; for a cluster of hundreds give FromClient a client
// of gokrb5, which keeps its tickets.
//
// Refused by the KDC (a wrong password, an unknown principal, a ticket cache that
// has ended), a login counts as refused by the broker: attempts are seconds apart,
// so that no account is locked. A KDC that is not there is waited for.
//
// # Sessions
//
// The end of a ticket ends no connection: what a broker of Apache Kafka counts is
// connections.max.reauth.ms alone. When that is nearly over, the next connection
// logs in with a ticket of its own before it takes over; if it gets none, because
// the KDC is down, records wait until it does. FromClient needs no KDC for that
// while its tickets last.
//
// # Tested
//
// In tests/kafka, TestKerberos runs it against MIT's KDC and Apache Kafka: every
// kind of login, both generations of AES, tickets shorter than the work, an outage
// of the KDC, and refusals.
//
// # Limits
//
// Keys must be AES (aes128-cts or aes256-cts, both generations); RC4 and DES are
// refused. Java: sasl.mechanism=GSSAPI with Krb5LoginModule.
package kringgssapi
