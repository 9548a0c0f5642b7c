package kring.worker;

import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** ProducerSettings is a plan in the words of Kafka's client, and what came of it. */
final class ProducerSettings {
    private static final int BATCH = 16384;
    private static final long BUFFER = 32L << 20;
    private static final int IN_FLIGHT = 5;

    /** Shown in every result, beside what the plan names; the rest are the client's defaults. */
    private static final List<String> SHOWN = List.of(
            "acks", "enable.idempotence", "linger.ms", "batch.size", "buffer.memory", "compression.type",
            "max.in.flight.requests.per.connection", "max.request.size", "max.block.ms", "delivery.timeout.ms",
            "request.timeout.ms", "retries", "partitioner.class", "partitioner.adaptive.partitioning.enable",
            "send.buffer.bytes", "receive.buffer.bytes");

    final Map<String, Object> config = new HashMap<>();
    final Map<String, String> shown = new TreeMap<>();
    final List<String> ignored;

    ProducerSettings(Plan plan) {
        Plan.Settings s = plan.settings();
        config.put("bootstrap.servers", String.join(",", s.brokers()));
        config.put("client.id", s.clientId().isEmpty() ? "kbench" : s.clientId());
        config.put("key.serializer", ByteArraySerializer.class);
        config.put("value.serializer", ByteArraySerializer.class);
        if (!s.defaults()) {
            configure(s);
        }
        ignored = s.props().keySet().stream().filter(name -> !ProducerConfig.configNames().contains(name)).toList();
        s.props().forEach((name, value) -> {
            if (!ignored.contains(name)) {
                config.put(name, value);
            }
        });
        show(plan);
    }

    /** What every client is told alike, and Kafka's defaults where the plan names nothing. */
    private void configure(Plan.Settings s) {
        config.put("acks", s.acks());
        config.put("enable.idempotence", s.idempotent());
        config.put("linger.ms", linger(s.linger()));
        config.put("batch.size", s.batchSize() > 0 ? s.batchSize() : BATCH);
        config.put("buffer.memory", s.bufferBytes() > 0 ? s.bufferBytes() : BUFFER);
        config.put("max.in.flight.requests.per.connection", s.maxInFlight() > 0 ? s.maxInFlight() : IN_FLIGHT);
        config.put("compression.type", s.compression());
    }

    /** Java's linger is whole milliseconds: a fraction is rounded up, and shown so. */
    private static long linger(long ns) {
        return (ns + 999_999) / 1_000_000;
    }

    private void show(Plan plan) {
        ProducerConfig effective;
        try {
            effective = new ProducerConfig(config);
        } catch (ConfigException e) {
            throw new UsageException(e.getMessage());
        }
        Map<String, ?> values = effective.values();
        SHOWN.forEach(name -> shown.put(name, String.valueOf(values.get(name))));
        // The levels are the codec's own, -1 or not; only that of the codec in use says something.
        String level = "compression." + values.get("compression.type") + ".level";
        if (values.containsKey(level)) {
            shown.put("compression.level", values.get(level) + " (default)");
        }
        // Kafka's type for secrets prints as [hidden].
        plan.settings().props().keySet().stream()
                .filter(values::containsKey)
                .forEach(name -> shown.put(name, String.valueOf(values.get(name))));
        shown.put("partitioner.class", plan.roundRobin()
                ? "explicit partitions"
                : "default (sticky by batch.size, adaptive)");
        shown.put("jvm", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
    }
}
