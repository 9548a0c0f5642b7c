package kring

import "strings"

// unsupportedHint is why a property of Java's has no effect here, and what to do
// instead.
func unsupportedHint(name string) string {
	for line := range strings.Lines(unsupportedHints) {
		names, hint, _ := strings.Cut(strings.TrimSpace(line), " | ")
		for pattern := range strings.FieldsSeq(names) {
			prefix, open := strings.CutSuffix(pattern, "*")
			suffix, tail := strings.CutPrefix(pattern, "*")
			if name == pattern || open && strings.HasPrefix(name, prefix) || tail && strings.HasSuffix(name, suffix) {
				return "; " + hint
			}
		}
	}
	return ""
}

// unsupportedHints is names, with a * for any text before or behind, and what to say
// of them; the first line that fits counts.
const unsupportedHints = `
*.serializer | keys and values are bytes here, use ByteArraySerializer or leave it out; in Go, NewTyped has serializers
ssl.key.password ssl.keystore.password ssl.truststore.password | stores are PEM files without a password; for JKS and PKCS12, use FromProperties of the module plugin/kringkeystore in place of kring's
ssl.cipher.suites ssl.engine.factory.class | use the option TLS with a tls.Config
ssl.protocol | ssl.enabled.protocols chooses the versions
ssl.* security.providers | it chooses between Java's implementations of TLS, and Go has one; leave it out
sasl.oauthbearer.* | tokens are fetched with client credentials (sasl.oauthbearer.token.endpoint.url), or in Go, with the option SASL(sasl.OAuthBearer(...))
sasl.login.refresh.* | a token is renewed when 80 % of its life are over; in Go, the option SASL(sasl.OAuthBearer(...)) gives tokens with any life
sasl.kerberos.service.name | use FromProperties of the module plugin/kringgssapi in place of kring's
sasl.kerberos.* | tickets are asked for when a connection logs in (module plugin/kringgssapi), and nothing has to be renewed; leave it out
sasl.client.callback.handler.class sasl.login.callback.handler.class sasl.login.class | Java's classes can not run here; use the option SASL with a mechanism that asks your own function (sasl.PlainLogin, sasl.OAuthBearer), or of the modules plugin/kringmsk and plugin/kringgssapi
metric.reporters | Java's classes can not run here; the modules plugin/kringprom and plugin/kringotel export what Stats and Latencies tell
metrics.* | Stats counts since New and Latencies keeps whole distributions; whoever reads them chooses the window
config.providers | properties are data only, nothing in them is loaded or expanded; resolve secrets before, or give them with the options SASL and TLS
client.dns.lookup | all addresses of a name are tried, and the name in bootstrap.servers is the one that certificates and Kerberos are checked for; name the brokers by it
bootstrap.resolve.timeout.ms | a name that can not be resolved yet is tried again for as long as the producer lives; max.block.ms bounds each Produce
buffer.memory.allocation.strategy | buffer.memory is allocated whole by New; where thousands of partitions share it, batches with little to send take an eighth of batch.size
transaction.two.phase.commit.enable internal.auto.downgrade.txn.commit | a transaction is ended by CommitTransaction or AbortTransaction alone (no KIP-939)
`
