package kring

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// javaNames is ProducerConfig.configNames() of kafka-clients 4.4.0.
const javaNames = `
acks
batch.size
bootstrap.resolve.timeout.ms
bootstrap.servers
buffer.memory
buffer.memory.allocation.strategy
client.dns.lookup
client.id
client.rack
compression.gzip.level
compression.lz4.level
compression.type
compression.zstd.level
config.providers
connections.max.idle.ms
delivery.timeout.ms
enable.idempotence
enable.metrics.push
interceptor.classes
key.serializer
linger.ms
max.block.ms
max.in.flight.requests.per.connection
max.request.size
metadata.cluster.check.enable
metadata.max.age.ms
metadata.max.idle.ms
metadata.recovery.rebootstrap.trigger.ms
metadata.recovery.strategy
metric.reporters
metrics.num.samples
metrics.recording.level
metrics.sample.window.ms
partitioner.adaptive.partitioning.enable
partitioner.availability.timeout.ms
partitioner.class
partitioner.ignore.keys
partitioner.rack.aware
receive.buffer.bytes
reconnect.backoff.max.ms
reconnect.backoff.ms
request.timeout.ms
retries
retry.backoff.max.ms
retry.backoff.ms
sasl.client.callback.handler.class
sasl.jaas.config
sasl.kerberos.kinit.cmd
sasl.kerberos.min.time.before.relogin
sasl.kerberos.service.name
sasl.kerberos.ticket.renew.jitter
sasl.kerberos.ticket.renew.window.factor
sasl.login.callback.handler.class
sasl.login.class
sasl.login.connect.timeout.ms
sasl.login.read.timeout.ms
sasl.login.refresh.buffer.seconds
sasl.login.refresh.min.period.seconds
sasl.login.refresh.window.factor
sasl.login.refresh.window.jitter
sasl.login.retry.backoff.max.ms
sasl.login.retry.backoff.ms
sasl.mechanism
sasl.oauthbearer.allow.unverified.audience
sasl.oauthbearer.allow.unverified.issuer
sasl.oauthbearer.assertion.algorithm
sasl.oauthbearer.assertion.claim.aud
sasl.oauthbearer.assertion.claim.exp.seconds
sasl.oauthbearer.assertion.claim.iss
sasl.oauthbearer.assertion.claim.jti.include
sasl.oauthbearer.assertion.claim.nbf.seconds
sasl.oauthbearer.assertion.claim.sub
sasl.oauthbearer.assertion.file
sasl.oauthbearer.assertion.private.key.file
sasl.oauthbearer.assertion.private.key.passphrase
sasl.oauthbearer.assertion.template.file
sasl.oauthbearer.client.credentials.client.id
sasl.oauthbearer.client.credentials.client.secret
sasl.oauthbearer.clock.skew.seconds
sasl.oauthbearer.expected.audience
sasl.oauthbearer.expected.issuer
sasl.oauthbearer.header.urlencode
sasl.oauthbearer.jwks.endpoint.refresh.ms
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms
sasl.oauthbearer.jwks.endpoint.url
sasl.oauthbearer.jwt.retriever.class
sasl.oauthbearer.jwt.validator.class
sasl.oauthbearer.scope
sasl.oauthbearer.scope.claim.name
sasl.oauthbearer.sub.claim.name
sasl.oauthbearer.token.endpoint.url
security.protocol
security.providers
send.buffer.bytes
socket.connection.setup.timeout.max.ms
socket.connection.setup.timeout.ms
ssl.cipher.suites
ssl.enabled.protocols
ssl.endpoint.identification.algorithm
ssl.engine.factory.class
ssl.key.password
ssl.keymanager.algorithm
ssl.keystore.certificate.chain
ssl.keystore.key
ssl.keystore.location
ssl.keystore.password
ssl.keystore.type
ssl.protocol
ssl.provider
ssl.secure.random.implementation
ssl.trustmanager.algorithm
ssl.truststore.certificates
ssl.truststore.location
ssl.truststore.password
ssl.truststore.type
transaction.timeout.ms
transaction.two.phase.commit.enable
transactional.id
value.serializer
`

// sampleValue is what stands for a property without a default.
func sampleValue(name string) string {
	switch name {
	case "bootstrap.servers":
		return "localhost:9092"
	case "client.id", "client.rack", "kring.cluster.id":
		return "me"
	}
	return ""
}

func TestPropertiesKnowsAllOfJava(t *testing.T) {
	listed := map[string]bool{}
	for _, p := range Properties() {
		listed[p.Name] = true
	}
	names := strings.Fields(javaNames)
	if len(names) != 120 {
		t.Fatalf("the table has %d names, Kafka 4.4.0 has 120", len(names))
	}
	for _, name := range names {
		if !listed[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestEveryPropertyIsDocumented(t *testing.T) {
	documented, known := documentedProperties(), knownProperties()
	for name := range known {
		if documented[name].Doc == "" {
			t.Errorf("%s has no line in propertyDocs", name)
		}
	}
	for name := range documented {
		if _, ok := known[name]; !ok {
			t.Errorf("propertyDocs has %s, which FromProperties does not know", name)
		}
	}
	list := Properties()
	if len(list) != len(known) || !slices.IsSortedFunc(list, func(a, b Property) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d properties, want the %d known ones in order", len(list), len(known))
	}
}

// TestListedSupport asks FromProperties whether the list tells the truth.
func TestListedSupport(t *testing.T) {
	for _, p := range Properties() {
		t.Run(p.Name, func(t *testing.T) {
			value := p.Default
			if value == "" {
				value = sampleValue(p.Name)
			}
			if p.Supported {
				if _, err := FromProperties(map[string]string{p.Name: value}); err != nil {
					t.Errorf("%s=%s is refused: %v", p.Name, value, err)
				}
				if p.WhyNot != "" || p.Accepts != nil {
					t.Errorf("supported, but %q", p.WhyNot)
				}
				return
			}
			if _, why, _ := strings.Cut(p.WhyNot, "; "); why == "" || !slices.Contains(p.Accepts, p.Default) {
				t.Errorf("unsupported without a reason, or its default %q is not among %q", p.Default, p.Accepts)
			}
			for _, value := range p.Accepts {
				if _, err := FromProperties(map[string]string{p.Name: value}); err != nil {
					t.Errorf("%s=%s is refused: %v", p.Name, value, err)
				}
			}
			_, err := FromProperties(map[string]string{p.Name: "surely-not-that"})
			if err == nil {
				t.Fatal("listed as unsupported, and accepted")
			}
			if _, why, _ := strings.Cut(err.Error(), "; "); why == "" {
				t.Errorf("refused without a reason: %v", err)
			}
		})
	}
}

// TestConfigProviders: their properties are Java's, and are not taken for typing
// errors.
func TestConfigProviders(t *testing.T) {
	_, err := FromProperties(map[string]string{"config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider"})
	const want = "kring: config.providers.file.class: not supported; properties are data only"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s…", err, want)
	}
}

// TestListedDefaultsChangeNothing gives every default that is listed.
func TestListedDefaultsChangeNothing(t *testing.T) {
	properties := map[string]string{"bootstrap.servers": "localhost:9092"}
	for _, p := range Properties() {
		// A level that is given is kept apart from the codec's own default,
		// which comes to the same.
		if p.Default != "" && !strings.HasSuffix(p.Name, ".level") {
			properties[p.Name] = p.Default
		}
	}
	opt, err := FromProperties(properties)
	if err != nil {
		t.Fatal(err)
	}
	got, err := newConfig([]Option{opt})
	if err != nil {
		t.Fatal(err)
	}
	want, err := newConfig([]Option{Brokers("localhost:9092")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*config{got, want} {
		c.given, c.logger, c.dial = [settings]string{}, nil, nil
	}
	if got, want := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); got != want {
		t.Errorf("the listed defaults make\n%s\nwant\n%s", got, want)
	}
}
