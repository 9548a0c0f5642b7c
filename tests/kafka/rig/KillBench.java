import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Java's producer under the open loop of ledger.Pace: record n of thread g is
 * due at start + (n * threads + g) * interval, and its latency runs from that
 * moment to its callback, so that a send() that blocks counts as well. The
 * producer has its own defaults (idempotent, acks=all, linger 5 ms).
 *
 * <p>A value begins with thread and number, big endian, four bytes each: the
 * test that runs this program reads the topic back and counts them. The result
 * is one line of name=value, latencies in microseconds.
 */
public final class KillBench {
    public static void main(String[] args) throws Exception {
        Map<String, String> flags = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        int threads = number(flags, "--threads");
        int rate = number(flags, "--rate");
        int total = number(flags, "--records") / threads * threads;
        int size = number(flags, "--size");
        int partitions = number(flags, "--partitions");
        String topic = flags.get("--topic");
        Properties config = new Properties();
        config.put("bootstrap.servers", flags.get("--bootstrap"));
        config.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        config.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");

        // Microseconds per record, 0 while it has no outcome.
        AtomicLongArray latency = new AtomicLongArray(total);
        AtomicInteger failed = new AtomicInteger();
        long interval = 1_000_000_000L / rate;
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config)) {
            producer.partitionsFor(topic);
            System.out.println("started");
            System.out.flush();
            long start = System.nanoTime();
            Thread[] all = new Thread[threads];
            for (int t = 0; t < threads; t++) {
                int g = t;
                all[t] = new Thread(() -> {
                    SplittableRandom random = new SplittableRandom(g);
                    for (int n = 0; n < total / threads; n++) {
                        int index = n * threads + g;
                        long due = start + index * interval;
                        for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                            LockSupport.parkNanos(wait);
                        }
                        byte[] value = new byte[size];
                        random.nextBytes(value);
                        ByteBuffer.wrap(value).putInt(g).putInt(n);
                        try {
                            producer.send(new ProducerRecord<>(topic, random.nextInt(partitions), null, value),
                                    (metadata, error) -> {
                                        if (error != null) {
                                            failed.incrementAndGet();
                                        } else {
                                            latency.set(index, Math.max(1, (System.nanoTime() - due) / 1000));
                                        }
                                    });
                        } catch (RuntimeException e) {
                            failed.incrementAndGet();
                        }
                    }
                });
                all[t].start();
            }
            for (Thread thread : all) {
                thread.join();
            }
        }
        long[] sorted = new long[total];
        int acked = 0;
        for (int i = 0; i < total; i++) {
            if (latency.get(i) > 0) {
                sorted[acked++] = latency.get(i);
            }
        }
        sorted = Arrays.copyOf(sorted, acked);
        Arrays.sort(sorted);
        System.out.printf("acked=%d failed=%d p50=%d p90=%d p99=%d p999=%d max=%d%n", acked, failed.get(),
                at(sorted, 500), at(sorted, 900), at(sorted, 990), at(sorted, 999), at(sorted, 1000));
    }

    private static int number(Map<String, String> flags, String name) {
        return Integer.parseInt(flags.get(name));
    }

    /** Nearest rank, as in ledger.summarise. */
    private static long at(long[] sorted, int perMille) {
        if (sorted.length == 0) {
            return 0;
        }
        long rank = ((long) sorted.length * perMille + 999) / 1000;
        return sorted[(int) Math.max(0, rank - 1)];
    }
}
