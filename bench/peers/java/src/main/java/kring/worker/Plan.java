package kring.worker;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Plan is bench.Config: what to send, how, and with which settings. Durations are nanoseconds. */
record Plan(
        long runId, List<String> command, Settings settings, boolean open, long rate, int outstanding, long busy, int senders,
        Arrivals arrivals, int partitions, boolean roundRobin, Sizes sizes, Keys keys, String payload, double compressibility, long records, long duration,
        long warmup, long seed, int latencySample, String verify, long maxLag, long drainTimeout) {
    /** One in so many records is timed, unless the plan says otherwise; see bench.Config.sampling. */
    private static final int SAMPLE_FLAT_OUT = 61;

    private static final int SAMPLE_BUSY = 17;
    private static final long BUSY_RATE = 100_000;

    /** Each sender has histograms of its own, three fifths of a megabyte. */
    private static final int MAX_SENDERS = 256;

    /** Settings is bench.Settings: what every client is told alike. 0 is the client's default. */
    record Settings(
            List<String> brokers, String topic, String clientId, String acks, boolean idempotent, long linger,
            int batchSize, long bufferBytes, int maxInFlight, String compression, Map<String, String> props, boolean defaults) {
        static Settings parse(JsonNode n) {
            Map<String, String> props = new TreeMap<>();
            n.path("props").properties().forEach(e -> props.put(e.getKey(), e.getValue().asText()));
            return new Settings(
                    strings(n.path("brokers")), n.path("topic").asText(), n.path("client_id").asText(),
                    n.path("acks").asText(), n.path("idempotent").asBoolean(), n.path("linger_ns").asLong(),
                    n.path("batch_size_bytes").asInt(), n.path("buffer_memory_bytes").asLong(),
                    n.path("max_in_flight").asInt(), n.path("compression").asText("none"), props, n.path("defaults").asBoolean());
        }
    }

    static Plan parse(JsonNode n) {
        want(n.isObject(), "the plan is not a JSON object");
        want(n.path("shard").path("of").asInt() <= 1, "this worker does the whole of a run: leave out --shard and --procs");
        want(n.path("warmup_records").asLong() == 0, "this worker warms up by time: leave out the number of records");
        want(!n.hasNonNull("payload_file"), "this worker makes its own values: leave out --payload-file");
        String mode = n.path("mode").asText();
        String partitioner = n.path("partitioner").asText();
        Plan plan = new Plan(
                Long.parseUnsignedLong(n.path("run_id").asText("0"), 16), strings(n.path("command")),
                Settings.parse(n.path("settings")), mode.equals("open"), n.path("rate_per_second").asLong(),
                n.path("outstanding").asInt(), n.path("busy_ns").asLong(), n.path("senders").asInt(),
                Arrivals.parse(n.path("arrival").asText("constant"), n.path("seed").bigIntegerValue().longValue()), n.path("partitions").asInt(),
                partitioner.equals("round-robin"), Sizes.parse(n.path("size").asText()), Keys.parse(n.path("keys").asText()),
                n.path("payload").asText("random"), n.path("compressibility").asDouble(), n.path("records").asLong(), n.path("duration_ns").asLong(),
                n.path("warmup_ns").asLong(), n.path("seed").bigIntegerValue().longValue(),
                n.path("latency_sample").asInt(), n.path("verify").asText("none"), n.path("max_lag_ns").asLong(),
                n.path("drain_timeout_ns").asLong());
        want(plan.open || mode.equals("closed"), "mode is \"" + mode + "\", want open or closed");
        want(plan.roundRobin || partitioner.equals("client"), "partitioner is \"" + partitioner + "\", want client or round-robin");
        want(n.path("producers").asInt() <= 1, "this worker has one producer: leave out --producers");
        want(!n.path("e2e").asBoolean(), "this worker has no consumer: leave out --e2e");
        plan.check();
        return plan;
    }

    private void check() {
        want(!settings.brokers.isEmpty(), "the plan names no brokers");
        want(!settings.topic.isEmpty(), "the plan names no topic");
        want(senders >= 1 && senders <= MAX_SENDERS, "senders is " + senders + ", want 1 to " + MAX_SENDERS + ", for each is a thread");
        want(records > 0 || duration > 0, "nothing to do: the plan has neither records nor a duration");
        want(open == rate > 0, "mode open needs a rate, and mode closed takes none");
        want(!roundRobin || partitions > 0, "round-robin needs the number of partitions");
        want(List.of("random", "text").contains(payload), "payload is \"" + payload + "\", want random or text");
        want(List.of("none", "count", "full").contains(verify), "verify is \"" + verify + "\", want none, count or full");
        want(List.of("all", "1", "0").contains(settings.acks), "acks is \"" + settings.acks + "\", want all, 1 or 0");
    }

    /** One in so many records has its hand-over stamped, for call and service time. */
    int stampSample() {
        if (latencySample > 0) {
            return latencySample;
        }
        if (!open && outstanding == 0 && busy == 0) {
            return SAMPLE_FLAT_OUT;
        }
        return rate > BUSY_RATE ? SAMPLE_BUSY : 1;
    }

    /** One in so many has its response time noted. */
    int responseSample() {
        return latencySample == 0 && open ? 1 : stampSample();
    }

    /** How many of the measured records a sender sends, by count. */
    long share(int sender) {
        return records / senders + (sender < records % senders ? 1 : 0);
    }

    private static List<String> strings(JsonNode n) {
        List<String> out = new ArrayList<>();
        n.forEach(e -> out.add(e.asText()));
        return out;
    }

    private static void want(boolean ok, String message) {
        if (!ok) {
            throw new UsageException(message);
        }
    }
}
