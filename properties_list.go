package kring

import (
	"maps"
	"slices"
	"strings"
)

// Property is one name that FromProperties knows: every producer property of
// Kafka 4's Java client, and kring's own, which begin with "kring.".
type Property struct {
	Name string
	// Default is what holds where the property is left out; "" is null, or no
	// default.
	Default string
	// Doc is one line for people.
	Doc string
	// Supported properties have an effect. Others are accepted with the values
	// in Accepts only, which ask for none, and WhyNot says what else to do.
	Supported bool
	WhyNot    string
	Accepts   []string
}

// Properties lists every property that FromProperties knows, by name. The list
// is the caller's own.
func Properties() []Property {
	documented, refused := documentedProperties(), unsupportedProperties()
	var list []Property
	for _, name := range slices.Sorted(maps.Keys(knownProperties())) {
		p := documented[name]
		p.Name, p.Supported = name, true
		if accepts, ok := refused[name]; ok {
			p.Supported, p.Accepts = false, accepts
			p.WhyNot = "not supported" + unsupportedHint(name)
		}
		if name == "interceptor.classes" {
			p.Supported, p.Accepts = false, []string{""}
			p.WhyNot = "Java's classes can not run here; use the option Interceptors"
		}
		list = append(list, p)
	}
	return list
}

// unsupportedProperties reads unsupportedTable: names, and their harmless values.
func unsupportedProperties() map[string][]string {
	refused := map[string][]string{}
	for line := range strings.Lines(unsupportedTable) {
		if name, harmless, _ := strings.Cut(strings.TrimSpace(line), " "); name != "" {
			refused[name] = strings.Split(harmless, "|")
		}
	}
	return refused
}

// documentedProperties reads propertyDocs.
func documentedProperties() map[string]Property {
	documented := map[string]Property{}
	for line := range strings.Lines(propertyDocs) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " | ")
		if !ok {
			continue
		}
		value, doc, _ := strings.Cut(rest, " | ")
		documented[name] = Property{Default: strings.TrimSuffix(value, "null"), Doc: doc}
	}
	return documented
}

// propertyDocs is name, default and meaning, one property a line.
const propertyDocs = `
acks | all | which replicas must have a record before it is acknowledged: all, 1 (the leader) or 0 (none)
batch.size | 16384 | bytes of a batch; one that is full is sent at once
bootstrap.resolve.timeout.ms | 0 | for so long the names in bootstrap.servers may be unknown; 0 is not at all
bootstrap.servers | null | brokers to start from, host:port, comma separated
buffer.memory.allocation.strategy | full | full: a batch takes batch.size at once; incremental: as it fills
buffer.memory | 33554432 | bytes for records that are not acknowledged yet
client.dns.lookup | use_all_dns_ips | which addresses of a host name are tried
client.id | null | name of the producer in the brokers' logs and quotas
client.rack | null | rack of the producer, for rack-aware partitioning (KIP-1123)
compression.gzip.level | -1 | 1 (fast) to 9 (small); -1 leaves it to kring, which takes 3
compression.lz4.level | 9 | 1 (fast) to 17 (small)
compression.type | none | none, gzip, snappy, lz4 or zstd, for whole batches
compression.zstd.level | 3 | -131072 (fast) to 22 (small)
config.providers | null | plug-ins that fetch values from elsewhere
connections.max.idle.ms | 540000 | a connection that was not used for so long is closed; negative is never
delivery.timeout.ms | 120000 | after so long a record has failed, retries included
enable.idempotence | true | the broker drops what it has already got, so that retries duplicate nothing
enable.metrics.push | true | send client metrics to the cluster where it asks for them (KIP-714)
interceptor.classes | null | code that sees every record before it is sent, and its result
internal.auto.downgrade.txn.commit | false | internal to Kafka
key.serializer | ` + byteArraySerializer + ` | how keys become bytes
kring.adaptive.depth | true | kring's own: requests in flight follow the broker, at most max.in.flight.requests.per.connection
kring.cluster.id | null | kring's own: the id of the cluster, and nothing is sent to any other
kring.completion.lanes | 1 | kring's own: how many goroutines run callbacks, those of a partition on one of them
kring.manual.flush | false | kring's own: only Flush sends records
kring.sequence.lost.stop | false | kring's own: stop for good when a broker has forgotten what it acknowledged
kring.partitioner.least.backed.up | false | kring's own: records without a key go where the fewest batches wait
kring.max.buffered.records | 0 | kring's own: how many records may be without an outcome; 0 is no bound
kring.connections.per.broker | 1 | kring's own: connections to each broker, at most 8, that share its partitions; for brokers far away
kring.delivery.inline | false | kring's own: callbacks run where responses are read, not on a goroutine of their own
kring.insecure.plaintext.login | false | kring's own: permits a password to be sent without TLS
kring.insecure.skip.verify | false | kring's own: permits any certificate of a broker
linger.ms | 5 | how long a batch waits for more records
max.block.ms | 60000 | how long Produce waits for metadata and for memory
max.in.flight.requests.per.connection | 5 | requests that a broker may owe an answer to; at most 5 with idempotence
max.request.size | 1048576 | bytes of a request, and of one record
metadata.cluster.check.enable | true | send nothing to a broker of another cluster than the first one (KIP-1242)
metadata.max.age.ms | 300000 | metadata is fetched again after so long, changed or not
metadata.max.idle.ms | 300000 | a topic that was not used for so long is forgotten
metadata.recovery.rebootstrap.trigger.ms | 300000 | without metadata for so long, start again from bootstrap.servers
metadata.recovery.strategy | rebootstrap | what to do when no known broker answers: rebootstrap or none
metric.reporters | org.apache.kafka.common.metrics.JmxReporter | plug-ins that export metrics
metrics.num.samples | 2 | windows over which metrics are computed
metrics.recording.level | INFO | INFO, DEBUG or TRACE
metrics.sample.window.ms | 30000 | length of one such window
partitioner.adaptive.partitioning.enable | true | records without a key prefer brokers that keep up
partitioner.availability.timeout.ms | 0 | a partition whose broker takes nothing for so long is avoided; 0 is never
partitioner.class | null | Java's RoundRobinPartitioner; code of your own is an option
partitioner.ignore.keys | false | partitions are chosen as if records had no key
partitioner.rack.aware | false | records without a key prefer partitions led in client.rack (KIP-1123)
receive.buffer.bytes | 32768 | SO_RCVBUF; -1 is the system's default
reconnect.backoff.max.ms | 1000 | longest pause between two attempts to connect
reconnect.backoff.ms | 50 | first pause between two attempts to connect
request.timeout.ms | 30000 | after so long a request without an answer has failed
retries | 2147483647 | attempts after the first; delivery.timeout.ms bounds them anyway
retry.backoff.max.ms | 1000 | longest pause between two attempts to send
retry.backoff.ms | 100 | first pause between two attempts to send
sasl.client.callback.handler.class | null | code that answers the SASL client's questions
sasl.jaas.config | null | user and password, or the client of OAuth, as a JAAS entry
sasl.kerberos.kinit.cmd | /usr/bin/kinit | Kerberos: path of kinit
sasl.kerberos.min.time.before.relogin | 60000 | Kerberos: milliseconds between two log-ins
sasl.kerberos.service.name | null | Kerberos: principal of the brokers
sasl.kerberos.ticket.renew.jitter | 0.05 | Kerberos: random share of the renewal time
sasl.kerberos.ticket.renew.window.factor | 0.8 | Kerberos: share of a ticket's life after which it is renewed
sasl.login.callback.handler.class | null | code that fetches the credentials
sasl.login.class | null | code that logs in
sasl.login.connect.timeout.ms | null | OAuth: time to connect to the identity provider
sasl.login.read.timeout.ms | null | OAuth: time for its answer
sasl.login.refresh.buffer.seconds | 300 | OAuth: a token is refreshed so long before it ends
sasl.login.refresh.min.period.seconds | 60 | OAuth: least time between two refreshes
sasl.login.refresh.window.factor | 0.8 | OAuth: share of a token's life after which it is refreshed
sasl.login.refresh.window.jitter | 0.05 | OAuth: random share of that time
sasl.login.retry.backoff.max.ms | 10000 | OAuth: longest pause between two log-ins
sasl.login.retry.backoff.ms | 100 | OAuth: first pause between two log-ins
sasl.mechanism | GSSAPI | PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; GSSAPI with plugin/kringgssapi
sasl.oauthbearer.allow.unverified.audience | false | OAuth: take tokens that name any audience
sasl.oauthbearer.allow.unverified.issuer | false | OAuth: take tokens of any issuer
sasl.oauthbearer.assertion.algorithm | RS256 | OAuth: how the assertion is signed
sasl.oauthbearer.assertion.claim.aud | null | OAuth: audience of the assertion
sasl.oauthbearer.assertion.claim.exp.seconds | 300 | OAuth: life of the assertion
sasl.oauthbearer.assertion.claim.iss | null | OAuth: issuer of the assertion
sasl.oauthbearer.assertion.claim.jti.include | false | OAuth: give each assertion an id
sasl.oauthbearer.assertion.claim.nbf.seconds | 60 | OAuth: valid since so long ago
sasl.oauthbearer.assertion.claim.sub | null | OAuth: subject of the assertion
sasl.oauthbearer.assertion.file | null | OAuth: file of a ready assertion
sasl.oauthbearer.assertion.private.key.file | null | OAuth: PEM file of the key that signs
sasl.oauthbearer.assertion.private.key.passphrase | null | OAuth: its passphrase
sasl.oauthbearer.assertion.template.file | null | OAuth: file of headers and claims
sasl.oauthbearer.client.credentials.client.id | null | OAuth: id of this client
sasl.oauthbearer.client.credentials.client.secret | null | OAuth: secret of this client
sasl.oauthbearer.clock.skew.seconds | 30 | OAuth: difference of clocks that is tolerated
sasl.oauthbearer.expected.audience | null | OAuth: audience that a token must name
sasl.oauthbearer.expected.issuer | null | OAuth: issuer that a token must name
sasl.oauthbearer.header.urlencode | false | OAuth: encode id and secret for the header
sasl.oauthbearer.jwks.endpoint.refresh.ms | 3600000 | OAuth: how often keys are fetched
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms | 10000 | OAuth: longest pause between two attempts
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms | 100 | OAuth: first pause between two attempts
sasl.oauthbearer.jwks.endpoint.url | null | OAuth: where keys are fetched
sasl.oauthbearer.jwt.retriever.class | org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever | OAuth: code that fetches tokens
sasl.oauthbearer.jwt.validator.class | org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator | OAuth: code that checks tokens
sasl.oauthbearer.scope | null | OAuth: scope to ask for
sasl.oauthbearer.scope.claim.name | scope | OAuth: name of the scope's claim
sasl.oauthbearer.sub.claim.name | sub | OAuth: name of the subject's claim
sasl.oauthbearer.token.endpoint.url | null | OAuth: where tokens are fetched, https
security.protocol | PLAINTEXT | PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
security.providers | null | Java security providers
send.buffer.bytes | 131072 | SO_SNDBUF; -1 is the system's default
socket.connection.setup.timeout.max.ms | 30000 | longest time for a connection to be established
socket.connection.setup.timeout.ms | 10000 | first time for a connection to be established; doubles with every failure
ssl.cipher.suites | null | TLS: ciphers that may be used
ssl.enabled.protocols | TLSv1.2,TLSv1.3 | TLS: versions that may be used
ssl.endpoint.identification.algorithm | https | TLS: how a broker's name is checked; empty is not at all
ssl.engine.factory.class | null | TLS: code that makes connections secure
ssl.key.password | null | TLS: password of the private key
ssl.keymanager.algorithm | SunX509 | TLS: Java's key manager
ssl.keystore.certificate.chain | null | TLS: the producer's certificate, as PEM text
ssl.keystore.key | null | TLS: its private key, as PEM text
ssl.keystore.location | null | TLS: PEM file of both
ssl.keystore.password | null | TLS: password of that file
ssl.keystore.type | JKS | TLS: PEM; JKS and PKCS12 with plugin/kringkeystore
ssl.protocol | TLSv1.3 | TLS: Java's name for the newest version
ssl.provider | null | TLS: Java's provider
ssl.secure.random.implementation | null | TLS: source of random numbers
ssl.trustmanager.algorithm | PKIX | TLS: Java's trust manager
ssl.truststore.certificates | null | TLS: certificates to trust, as PEM text
ssl.truststore.location | null | TLS: PEM file of them
ssl.truststore.password | null | TLS: password of that file
ssl.truststore.type | JKS | TLS: PEM; JKS and PKCS12 with plugin/kringkeystore
transaction.timeout.ms | 60000 | after so long the broker aborts a transaction
transaction.two.phase.commit.enable | false | an external coordinator decides about transactions (KIP-939)
transactional.id | null | name of a transactional producer across restarts
value.serializer | ` + byteArraySerializer + ` | how values become bytes
`
