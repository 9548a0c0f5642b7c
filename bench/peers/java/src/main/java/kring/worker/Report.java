package kring.worker;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.utils.AppInfoParser;

/** Report turns a finished run into kbench.result/v1. What was not measured is null, never zero. */
final class Report {
    private static final long MAX_LAG = 2_000_000;

    private final Run run;
    private final Plan plan;
    private final ProducerSettings settings;
    private final JsonNodeFactory json = JsonNodeFactory.instance;
    private final List<String> invalid = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    Report(Run run, ProducerSettings settings) {
        this.run = run;
        plan = run.plan;
        this.settings = settings;
    }

    ObjectNode result() {
        ObjectNode out = json.objectNode();
        ObjectNode totals = totals();
        Hist wake = merged(s -> s.wake);
        judge(totals, wake);
        out.put("schema", "kbench.result/v1").put("run_id", String.format("%016x", plan.runId())).put("started", run.started);
        out.put("valid", invalid.isEmpty());
        out.set("invalid_reasons", strings(invalid));
        out.set("warnings", strings(warnings));
        out.put("partial", run.partial());
        out.set("command", strings(plan.command()));
        out.set("client", client());
        out.set("workload", workload());
        out.set("env", Env.read());
        out.set("totals", totals);
        ObjectNode latency = out.putObject("latency");
        latency.set("response", run.books.response.summary(plan.responseSample()));
        latency.set("service", run.books.service.summary(plan.stampSample()));
        latency.set("call", merged(s -> s.call).summary(plan.stampSample()));
        latency.set("lag", merged(s -> s.lag).summary(1));
        latency.set("wake", wake.summary(1));
        latency.putNull("e2e");
        out.set("cost", cost(totals.get("window_acked").asLong()));
        ObjectNode verify = out.putObject("verify").put("mode", "none").put("completed_twice", run.books.twice());
        verify.putArray("checked");
        verify.putArray("problems");
        ArrayNode errors = out.putArray("errors");
        for (Map.Entry<String, Long> e : run.books.errors()) {
            errors.addObject().put("message", e.getKey()).put("records", e.getValue());
        }
        out.putArray("events");
        out.putArray("profiles");
        out.set("ledger", ledger());
        return out;
    }

    private ObjectNode client() {
        ObjectNode out = json.objectNode()
                .put("name", "java").put("version", AppInfoParser.getVersion()).put("git_sha", AppInfoParser.getCommitId())
                .put("lang", "java " + Runtime.version());
        ObjectNode props = out.putObject("props");
        settings.shown.forEach(props::put);
        out.set("ignored_props", strings(settings.ignored));
        return out;
    }

    private ObjectNode workload() {
        return json.objectNode()
                .put("mode", plan.open() ? "open" : "closed").put("arrival", plan.open() ? plan.arrivals().spec() : "flat-out")
                .put("rate_target", plan.rate()).put("outstanding", plan.outstanding()).put("senders", plan.senders())
                .put("busy_ns", plan.busy())
                .put("partitioner", plan.roundRobin() ? "round-robin" : "client").put("size", plan.sizes().spec())
                .put("keys", plan.keys().spec).put("payload", plan.payload()).put("compressibility", run.pool.ratio()).put("warmup_ns", plan.warmup())
                .put("duration_ns", run.endNs - run.beginNs).put("records", plan.records())
                .put("seed", unsigned(plan.seed())).put("pacer", plan.open() ? "parkNanos" : "none")
                .put("latency_sample", plan.stampSample());
    }

    /** offered = sent + rejected + never sent, and sent = acked + failed + unresolved. */
    private ObjectNode totals() {
        long warmup = 0, sent = 0, rejected = 0, acked = 0, failed = 0, bytes = 0, offered = 0, pending = 0;
        for (Sender s : run.senders) {
            Shard shard = run.books.shards[s.index];
            long measured = Math.min(shard.measured, s.seq); // The run may have ended during the warm-up.
            warmup += measured;
            sent += s.seq - measured - Math.min(s.rejected, s.seq - measured);
            rejected += s.rejected;
            acked += shard.acked.get();
            failed += shard.failed.get();
            bytes += measured < s.seq ? s.bytes - s.warmBytes : 0;
            pending += s.seq - s.rejected - shard.acked.get() - shard.ackedWarm.get() - shard.failed.get();
            if (plan.open()) {
                long planned = run.books.planned(s.index);
                offered += planned - Math.min(planned, run.books.firstMeasured(s.index));
            }
        }
        long window = run.endNs - run.beginNs;
        long windowAcked = plan.open() ? acked : run.endAcked - run.beginAcked;
        return json.objectNode()
                .put("offered", plan.open() ? offered : sent + rejected).put("sent", sent).put("acked", acked)
                .put("failed", failed).put("rejected", rejected).put("unresolved", pending).put("warmup", warmup)
                .put("bytes", bytes).put("window_ns", window).put("window_acked", windowAcked)
                .put("rate_achieved", window > 0 ? windowAcked * 1e9 / window : 0).putNull("batches").putNull("requests")
                .putNull("batch_bytes");
    }

    private ObjectNode cost(long records) {
        Meter from = run.begin;
        Meter to = run.end;
        long cpu = to.cpu() - from.cpu();
        // Steps of 10 ms may exceed a sum that is exact.
        long sys = from.sys() < 0 ? 0 : Math.min(to.sys() - from.sys(), cpu);
        ObjectNode out = json.objectNode().put("cpu_user_ns", cpu - sys).put("cpu_sys_ns", sys);
        out.put("cpu_per_record_ns", records > 0 ? (double) cpu / records : 0);
        out.putNull("allocs").putNull("alloc_bytes").putNull("allocs_per_record");
        long collecting = (to.collecting() - from.collecting()) * 1_000_000;
        out.put("gc_count", to.collections() - from.collections()).put("gc_pause_total_ns", collecting);
        out.put("gc_pause_max_ns", run.pauses.longest()).putNull("gc_pause_p99_ns").putNull("sched_latency_p99_ns");
        out.putNull("gc_cpu_ns").putNull("heap_live_bytes");
        out.put("rss_peak_bytes", Meter.peakMemory()).putNull("ctxsw_vol").putNull("ctxsw_invol");
        out.put("steal_ns", from.steal() < 0 ? null : to.steal() - from.steal());
        return out.putNull("syscalls").put("syscalls_method", "n/a");
    }

    /** Whether the measurement says something about the client; see bench/verdict.go. */
    private void judge(ObjectNode totals, Hist wake) {
        if (totals.get("window_acked").asLong() == 0) {
            invalid.add("nothing was acknowledged in the measured phase");
        }
        long unsent = totals.get("offered").asLong() - totals.get("sent").asLong() - totals.get("rejected").asLong();
        if (unsent > 0 && !run.partial()) {
            invalid.add(unsent + " records were never sent: the client did not keep up with the rate");
        }
        long clockStep = run.end.wallMs() - run.begin.wallMs() - (run.endNs - run.beginNs) / 1_000_000;
        if (Math.abs(clockStep) > 100) {
            invalid.add("the wall clock was set by " + clockStep + " ms during the run");
        }
        long all = run.end.all() - run.begin.all();
        if (all >= 100 * Meter.TICK && (run.end.steal() - run.begin.steal()) * 20 > all) {
            invalid.add("the hypervisor took more than 5 % of the processors' time");
        }
        long limit = plan.maxLag() > 0 ? plan.maxLag() : MAX_LAG;
        long share = run.books.response.quantile(0.99) / 10;
        if (wake.n() > 0 && wake.quantile(0.99) > Math.max(share, limit)) {
            invalid.add("the load generator woke up late: p99 " + wake.quantile(0.99) + " ns, allowed " + Math.max(share, limit) + " ns");
        } else if (wake.n() > 0 && wake.quantile(0.99) > share) {
            warnings.add("harness lag p99 " + wake.quantile(0.99) + " ns is more than 10 % of response p99");
        }
    }

    /** What a reader of the topic needs in order to verify it. */
    private ObjectNode ledger() {
        ObjectNode out = json.objectNode();
        out.putObject("plan")
                .put("run_id", String.format("%016x", plan.runId())).put("topic", plan.settings().topic())
                .put("partitions", plan.partitions()).put("senders", plan.senders()).put("seed", unsigned(plan.seed()))
                .put("size", plan.sizes().spec()).put("payload", plan.payload()).put("compressibility", plan.compressibility());
        long[] sent = new long[run.senders.length];
        ArrayNode counts = out.putArray("sent");
        for (Sender s : run.senders) {
            sent[s.index] = s.seq;
            counts.add(s.seq);
        }
        List<Long> failed = run.books.failedTags(sent);
        ArrayNode tags = out.putArray("failed");
        failed.forEach(tags::add);
        out.put("failed_all", run.books.failedAll(failed.size())).put("acked", run.books.totalAcked());
        long[] digests = run.books.digests();
        if (digests == null) {
            return out.putNull("digests");
        }
        ArrayNode sums = out.putArray("digests");
        for (long digest : digests) {
            sums.add(unsigned(digest));
        }
        return out;
    }

    private Hist merged(Function<Sender, Hist> which) {
        Hist all = new Hist();
        for (Sender s : run.senders) {
            all.add(which.apply(s));
        }
        return all;
    }

    private ArrayNode strings(List<String> list) {
        ArrayNode out = json.arrayNode();
        list.forEach(out::add);
        return out;
    }

    private static BigInteger unsigned(long v) {
        return new BigInteger(Long.toUnsignedString(v));
    }
}
