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
    private final KafkaProducer<byte[], byte[]> producer;
    private final int threads;
    private final int size;
    private final int partitions;
    private final long interval;

    private KillBench(KafkaProducer<byte[], byte[]> producer, Map<String, String> flags) {
        this.producer = producer;
        threads = number(flags, "--threads");
        size = number(flags, "--size");
        partitions = number(flags, "--partitions");
        interval = 1_000_000_000L / number(flags, "--rate");
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> flags = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            flags.put(args[i], args[i + 1]);
        }
        Properties config = new Properties();
        config.put("bootstrap.servers", flags.get("--bootstrap"));
        config.put("key.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        config.put("value.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer");
        Run run;
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config)) {
            KillBench bench = new KillBench(producer, flags);
            // A cold JVM is several times slower, which is not what is compared.
            bench.run(flags.get("--warm-topic"), number(flags, "--warm-records"));
            producer.flush();
            producer.partitionsFor(flags.get("--topic"));
            System.out.println("started");
            System.out.flush();
            run = bench.run(flags.get("--topic"), number(flags, "--records"));
        }
        run.print();
    }

    /** run returns when everything was handed to the producer; close waits for the outcomes. */
    private Run run(String topic, int records) throws InterruptedException {
        Run run = new Run(records / threads * threads);
        long start = System.nanoTime();
        Thread[] all = new Thread[threads];
        for (int t = 0; t < threads; t++) {
            int g = t;
            all[t] = new Thread(() -> {
                SplittableRandom random = new SplittableRandom(g);
                for (int n = 0; n < records / threads; n++) {
                    int index = n * threads + g;
                    long due = start + index * interval;
                    for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
                        LockSupport.parkNanos(wait);
                    }
                    byte[] value = new byte[size];
                    random.nextBytes(value);
                    ByteBuffer.wrap(value).putInt(g).putInt(n);
                    run.send(producer, new ProducerRecord<>(topic, random.nextInt(partitions), null, value), index, due);
                }
            });
            all[t].start();
        }
        for (Thread thread : all) {
            thread.join();
        }
        return run;
    }

    /** Run holds the outcomes: microseconds per record, 0 while it has none. */
    private static final class Run {
        private final AtomicLongArray latency;
        private final AtomicInteger failed = new AtomicInteger();

        Run(int total) {
            latency = new AtomicLongArray(total);
        }

        void send(KafkaProducer<byte[], byte[]> producer, ProducerRecord<byte[], byte[]> record, int index, long due) {
            try {
                producer.send(record, (metadata, error) -> {
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

        void print() {
            long[] sorted = new long[latency.length()];
            int acked = 0;
            for (int i = 0; i < sorted.length; i++) {
                if (latency.get(i) > 0) {
                    sorted[acked++] = latency.get(i);
                }
            }
            sorted = Arrays.copyOf(sorted, acked);
            Arrays.sort(sorted);
            System.out.printf("acked=%d failed=%d p50=%d p90=%d p99=%d p999=%d max=%d%n", acked, failed.get(),
                    at(sorted, 500), at(sorted, 900), at(sorted, 990), at(sorted, 999), at(sorted, 1000));
        }
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
