package kring.worker;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/** Env is bench.EnvInfo: where it ran. What is Go's alone is null. */
final class Env {
    private Env() {}

    static ObjectNode read() {
        String kernel = Meter.first("/proc/sys/kernel/osrelease");
        String model = Meter.lines("/proc/cpuinfo").stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElse(System.getProperty("os.arch"));
        return JsonNodeFactory.instance.objectNode()
                .put("kernel", kernel.isEmpty() ? System.getProperty("os.name") : kernel)
                .put("cpu_model", model)
                .put("cpus", Runtime.getRuntime().availableProcessors())
                .put("cgroup_cpu_quota", orNull(Meter.first("/sys/fs/cgroup/cpu.max")))
                .put("governor", orNull(Meter.first("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")))
                .put("clocksource", orNull(Meter.first("/sys/devices/system/clocksource/clocksource0/current_clocksource")))
                .put("clock_cost_ns", clockCost())
                .putNull("gomaxprocs").putNull("gogc").putNull("gomemlimit").putNull("goamd64")
                .put("pgo", false)
                .put("build_flags", String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()))
                .put("hostname_hash", hash(Meter.first("/proc/sys/kernel/hostname")));
    }

    /** The median price of one reading of the clock. */
    private static long clockCost() {
        long[] costs = new long[9];
        for (int i = 0; i < costs.length; i++) {
            long start = System.nanoTime();
            long last = start;
            for (int n = 0; n < 1000; n++) {
                last = System.nanoTime();
            }
            costs[i] = (last - start) / 1000;
        }
        Arrays.sort(costs);
        return costs[costs.length / 2];
    }

    private static String orNull(String text) {
        return text.isEmpty() ? null : text;
    }

    private static String hash(String host) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(host.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sum, 0, 4);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
