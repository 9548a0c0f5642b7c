package kring.worker;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import org.HdrHistogram.Histogram;

/** Hist is a histogram of nanoseconds up to 60 s, three digits. Only one thread at a time may use it. */
final class Hist {
    private static final long MAX = 60_000_000_000L;

    private final Histogram counts = new Histogram(1, MAX, 3);
    private long overflow;
    private long max; // exact, where the counts are rounded

    /** Values above the range are counted, never clamped. */
    void record(long ns) {
        long value = Math.max(ns, 0);
        max = Math.max(max, value);
        if (value > MAX) {
            overflow++;
        } else {
            counts.recordValue(value);
        }
    }

    Hist add(Hist other) {
        counts.add(other.counts);
        overflow += other.overflow;
        max = Math.max(max, other.max);
        return this;
    }

    long n() {
        return counts.getTotalCount() + overflow;
    }

    /** By rank among all values: one that lies among the overflowed is their maximum. */
    long quantile(double q) {
        long inside = counts.getTotalCount();
        double rank = q * n();
        return rank > inside || inside == 0 ? max : Math.min(counts.getValueAtPercentile(100 * rank / inside), max);
    }

    /** A bench.Latency, null if nothing was recorded. */
    ObjectNode summary(int sampled) {
        if (n() == 0) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.allocate(counts.getNeededByteBufferCapacity());
        int length = counts.encodeIntoCompressedByteBuffer(buffer);
        String encoded = Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), length));
        return JsonNodeFactory.instance.objectNode()
                .put("unit", "ns").put("n", n()).put("sampled", sampled)
                .put("min", counts.getMinValue()).put("mean", (long) counts.getMean())
                .put("p50", quantile(0.5)).put("p90", quantile(0.9)).put("p99", quantile(0.99))
                .put("p999", quantile(0.999)).put("p9999", quantile(0.9999))
                .put("max", max).put("overflow", overflow).put("hdr_v2", encoded);
    }
}
