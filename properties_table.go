package kring

import (
	"slices"
	"strings"
	"time"
)

// byteArraySerializer is the one serializer that does what kring does.
const byteArraySerializer = "org.apache.kafka.common.serialization.ByteArraySerializer"

// knownProperties returns every name that a Java producer of Kafka 4 knows.
func knownProperties() map[string]property {
	known := make(map[string]property)
	for _, p := range slices.Concat(openProperties(), securityProperties()) {
		known[p.name] = p
	}
	for line := range strings.Lines(unsupportedTable) {
		name, harmless, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		// Java's null is an empty value here. Where Java has a default,
		// empty means something else, such as no host name check at all.
		known[name] = unsupportedProperty(name, strings.Split(harmless, "|")...)
	}
	return known
}

// openProperties are those that have an option and hold no secret.
func openProperties() []property {
	return slices.Concat(supportedProperties(), compressionProperties(), transactionProperties(), pipelineProperties())
}

// supportedProperties are those of what is in every producer.
func supportedProperties() []property {
	return []property{
		{setBrokers.String(), func(c *config, p property, value string) {
			Brokers(value).apply(c)
			c.give(setBrokers, "%s", p.name)
		}},
		{setClientID.String(), func(c *config, p property, value string) {
			c.clientID = value
			c.give(setClientID, "%s=%s", p.name, value)
		}},
		{setAcks.String(), setAcksProperty},
		flagProperty(depthProperty, func(c *config) *bool { return &c.adaptiveDepth }),
		flagProperty(inlineProperty, func(c *config) *bool { return &c.inlineDelivery }),
		{lanesProperty, setLanesProperty},
		{stripesProperty, setStripesProperty},
		{recordsProperty, setRecordsProperty},
		flagProperty(leastBackedUpProperty, func(c *config) *bool { return &c.leastBackedUp }),
		flagProperty(stopOnLossProperty, func(c *config) *bool { return &c.stopOnLoss }),
		flagProperty(manualFlushProperty, func(c *config) *bool { return &c.manualFlush }),
		flagProperty(metricsPushProperty, func(c *config) *bool { return &c.metricsPush }),
		flagProperty(clusterCheckProperty, func(c *config) *bool { return &c.clusterCheck }),
		{clusterIDProperty, setClusterIDProperty},
		{setRebootstrap.String(), setRebootstrapProperty},

		numberProperty(setRetries, "attempts", func(c *config) *int { return &c.retries }),
		numberProperty(setMaxInFlight, "requests", func(c *config) *int { return &c.maxInFlight }),
		numberProperty(setBatchSize, "bytes", func(c *config) *int { return &c.batchSize }),
		numberProperty(setBufferMemory, "bytes", func(c *config) *int64 { return &c.bufferMemory }),
		numberProperty(setMaxRequestSize, "bytes", func(c *config) *int { return &c.maxRequestSize }),
		numberProperty(setSendBuffer, "bytes", func(c *config) *int { return &c.sendBuffer }),
		numberProperty(setReceiveBuffer, "bytes", func(c *config) *int { return &c.receiveBuffer }),

		timeProperty(setLinger, func(c *config) *time.Duration { return &c.linger }),
		timeProperty(setMaxBlock, func(c *config) *time.Duration { return &c.maxBlock }),
		timeProperty(setDeliveryTimeout, func(c *config) *time.Duration { return &c.deliveryTimeout }),
		timeProperty(setRequestTimeout, func(c *config) *time.Duration { return &c.requestTimeout }),
		timeProperty(setRetryBackoff, func(c *config) *time.Duration { return &c.retryBackoff }),
		timeProperty(setRetryBackoffMax, func(c *config) *time.Duration { return &c.retryBackoffMax }),
		timeProperty(setReconnectBackoff, func(c *config) *time.Duration { return &c.reconnectBackoff }),
		timeProperty(setReconnectBackoffMax, func(c *config) *time.Duration { return &c.reconnectBackoffMax }),
		timeProperty(setConnSetupTimeout, func(c *config) *time.Duration { return &c.connSetupTimeout }),
		timeProperty(setConnSetupTimeoutMax, func(c *config) *time.Duration { return &c.connSetupTimeoutMax }),
		timeProperty(setConnMaxIdle, func(c *config) *time.Duration { return &c.connMaxIdle }),
		timeProperty(setMetadataMaxAge, func(c *config) *time.Duration { return &c.metadataMaxAge }),
		timeProperty(setMetadataMaxIdle, func(c *config) *time.Duration { return &c.metadataMaxIdle }),
		timeProperty(setRebootstrapTrigger, func(c *config) *time.Duration { return &c.rebootstrapTrigger }),
		timeProperty(setAvailabilityTimeout, func(c *config) *time.Duration { return &c.availabilityTimeout }),

		switchProperty(setIdempotence, func(c *config) *bool { return &c.idempotence }),
		switchProperty(setAdaptive, func(c *config) *bool { return &c.adaptive }),
		switchProperty(setIgnoreKeys, func(c *config) *bool { return &c.ignoreKeys }),
	}
}

func setAcksProperty(c *config, p property, value string) {
	switch strings.ToLower(value) {
	case "all", "-1":
		c.acks = int16(AcksAll)
	case "1":
		c.acks = int16(AcksLeader)
	case "0":
		c.acks = int16(AcksNone)
	default:
		p.malformed(c, value, "all, -1, 1 or 0")
		return
	}
	c.give(setAcks, "%s=%s", p.name, value)
}

func setRebootstrapProperty(c *config, p property, value string) {
	switch strings.ToLower(value) {
	case "rebootstrap":
		c.rebootstrap = true
	case "none":
		c.rebootstrap = false
	default:
		p.malformed(c, value, "rebootstrap or none")
		return
	}
	c.give(setRebootstrap, "%s=%s", p.name, value)
}

// unsupportedTable lists the names whose effect kring does not have, each with
// the values that ask for none: Java's default, and where several are written
// with |, those that come to the same. A name alone defaults to null.
const unsupportedTable = `
bootstrap.resolve.timeout.ms 0
buffer.memory.allocation.strategy full
client.dns.lookup use_all_dns_ips
config.providers
internal.auto.downgrade.txn.commit false
key.serializer ` + byteArraySerializer + `
metric.reporters |org.apache.kafka.common.metrics.JmxReporter
metrics.num.samples 2
metrics.recording.level INFO
metrics.sample.window.ms 30000
sasl.client.callback.handler.class
sasl.kerberos.kinit.cmd /usr/bin/kinit
sasl.kerberos.min.time.before.relogin 60000
sasl.kerberos.service.name
sasl.kerberos.ticket.renew.jitter 0.05
sasl.kerberos.ticket.renew.window.factor 0.8
sasl.login.callback.handler.class |` + oauthPackage + `OAuthBearerLoginCallbackHandler|` + oauthPackage + `secured.OAuthBearerLoginCallbackHandler
sasl.login.class
sasl.login.refresh.buffer.seconds 300
sasl.login.refresh.min.period.seconds 60
sasl.login.refresh.window.factor 0.8
sasl.login.refresh.window.jitter 0.05
sasl.oauthbearer.allow.unverified.audience false
sasl.oauthbearer.allow.unverified.issuer false
sasl.oauthbearer.assertion.algorithm RS256
sasl.oauthbearer.assertion.claim.aud
sasl.oauthbearer.assertion.claim.exp.seconds 300
sasl.oauthbearer.assertion.claim.iss
sasl.oauthbearer.assertion.claim.jti.include false
sasl.oauthbearer.assertion.claim.nbf.seconds 60
sasl.oauthbearer.assertion.claim.sub
sasl.oauthbearer.assertion.file
sasl.oauthbearer.assertion.private.key.file
sasl.oauthbearer.assertion.private.key.passphrase
sasl.oauthbearer.assertion.template.file
sasl.oauthbearer.clock.skew.seconds 30
sasl.oauthbearer.expected.audience
sasl.oauthbearer.expected.issuer
sasl.oauthbearer.jwks.endpoint.refresh.ms 3600000
sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms 10000
sasl.oauthbearer.jwks.endpoint.retry.backoff.ms 100
sasl.oauthbearer.jwks.endpoint.url
sasl.oauthbearer.jwt.retriever.class ` + oauthPackage + `DefaultJwtRetriever|` + oauthPackage + `ClientCredentialsJwtRetriever
sasl.oauthbearer.jwt.validator.class org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator
sasl.oauthbearer.scope.claim.name scope
sasl.oauthbearer.sub.claim.name sub
security.providers
ssl.cipher.suites
ssl.engine.factory.class
ssl.key.password
ssl.keymanager.algorithm SunX509
ssl.keystore.password
ssl.protocol TLSv1.3|TLSv1.2|TLS
ssl.provider
ssl.secure.random.implementation
ssl.trustmanager.algorithm PKIX
ssl.truststore.password
transaction.two.phase.commit.enable false
value.serializer ` + byteArraySerializer + `
`
