package kring.worker;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Meter is one reading of what the process has used: all of its threads, the
 * compiler's and the collector's among them. cpu is nanoseconds, which Java 17
 * counts in steps of 10 ms on Linux; sys is the kernel's part of it, in the same
 * steps, -1 where there is no /proc, as are steal and all, of the machine.
 */
record Meter(long cpu, long sys, long collections, long collecting, long steal, long all, long wallMs) {
    /** /proc counts in hundredths of a second, for programs, on every machine. */
    static final long TICK = 10_000_000;

    static Meter now() {
        long collections = 0;
        long collecting = 0;
        for (GarbageCollectorMXBean gc : ManagementFactory.getGarbageCollectorMXBeans()) {
            collections += Math.max(gc.getCollectionCount(), 0);
            collecting += Math.max(gc.getCollectionTime(), 0);
        }
        long[] machine = machine();
        OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Meter(
                os.getProcessCpuTime(), readSys(), collections, collecting, machine[0], machine[1],
                System.currentTimeMillis());
    }

    private static long readSys() {
        String stat = first("/proc/self/stat");
        // The name, in parentheses, may hold anything.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).trim().split(" ");
        return fields.length > 12 ? Long.parseLong(fields[12]) * TICK : -1;
    }

    private static long[] machine() {
        String[] fields = first("/proc/stat").split(" +");
        if (fields.length < 9) {
            return new long[] {-1, -1};
        }
        long all = 0;
        for (int i = 1; i <= 8; i++) { // user nice system idle iowait irq softirq steal; guests are in user
            all += Long.parseLong(fields[i]) * TICK;
        }
        return new long[] {Long.parseLong(fields[8]) * TICK, all};
    }

    /** The most memory that was resident, in bytes; 0 if unknown. */
    static long peakMemory() {
        return lines("/proc/self/status").stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) << 10)
                .findFirst()
                .orElse(0);
    }

    /** The first line of a file, "" if there is none. */
    static String first(String file) {
        List<String> lines = lines(file);
        return lines.isEmpty() ? "" : lines.get(0);
    }

    static List<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file));
        } catch (IOException e) {
            return List.of(); // Another system: what it says is then unknown.
        }
    }
}
