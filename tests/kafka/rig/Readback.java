import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/**
 * Reads a topic from offset 0 to the end it had at the start and writes one
 * fixed-size entry per record to standard output: what tests/ledger compares
 * with what was sent. The format and the hash are described in
 * tests/ledger/stream.go and digest.go.
 *
 * <pre>
 * java -cp 'libs/*' Readback.java --bootstrap 127.0.0.1:19091 --topic t
 * java -cp 'libs/*' Readback.java --self-test
 * </pre>
 */
public final class Readback {
    private static final int ENTRY = 96;
    private static final int PREFIX = 40;
    private static final Duration STALL = Duration.ofSeconds(60);

    public static void main(String[] args) {
        Map<String, String> flags = new HashMap<>();
        for (int i = 0; i < args.length; i++) {
            boolean alone = i + 1 == args.length || args[i + 1].startsWith("--");
            flags.put(args[i], alone ? "" : args[++i]);
        }
        try {
            if (flags.containsKey("--self-test")) {
                selfTest();
            } else if (flags.containsKey("--bootstrap") && flags.containsKey("--topic")) {
                read(flags.get("--bootstrap"), flags.get("--topic"));
            } else {
                throw new IllegalArgumentException("--bootstrap and --topic are needed");
            }
        } catch (Exception e) {
            System.err.println("Readback: " + e);
            System.exit(1);
        }
    }

    private static void read(String bootstrap, String topic) throws IOException {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        config.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
        config.put("enable.auto.commit", "false");
        config.put("auto.offset.reset", "none");
        config.put("allow.auto.create.topics", "false");
        config.put("check.crcs", "true");
        config.put("max.poll.records", "20000");
        config.put("max.partition.fetch.bytes", "4194304");
        config.put("receive.buffer.bytes", "1048576");
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config);
                Output out = new Output(new BufferedOutputStream(System.out, 1 << 20))) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(p -> new TopicPartition(topic, p.partition())).toList();
            if (partitions.isEmpty()) {
                throw new IllegalStateException("topic " + topic + " does not exist");
            }
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            for (TopicPartition p : partitions) {
                consumer.seek(p, 0);
            }
            drain(consumer, ends, out);
            out.end();
        }
    }

    private static void drain(KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends, Output out)
            throws IOException {
        Set<TopicPartition> open = new HashSet<>(ends.keySet());
        open.removeIf(p -> ends.get(p) == 0);
        consumer.pause(ends.keySet().stream().filter(p -> !open.contains(p)).toList());
        long progress = System.nanoTime();
        while (!open.isEmpty()) {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofSeconds(1));
            if (!records.isEmpty()) {
                progress = System.nanoTime();
            } else if (System.nanoTime() - progress > STALL.toNanos()) {
                throw new IllegalStateException("nothing to read for " + STALL + ", still open: " + open);
            }
            for (TopicPartition p : records.partitions()) {
                long end = ends.get(p);
                for (ConsumerRecord<byte[], byte[]> r : records.records(p)) {
                    if (r.offset() < end) {
                        out.write(r);
                    }
                }
            }
            open.removeIf(p -> {
                boolean done = consumer.position(p) >= ends.get(p);
                if (done) {
                    consumer.pause(List.of(p));
                }
                return done;
            });
        }
    }

    /** Output writes entries, little endian, and after the last one their number. */
    private static final class Output implements AutoCloseable {
        private final OutputStream out;
        private final byte[] bytes = new byte[ENTRY];
        private final ByteBuffer entry = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        private long count;

        Output(OutputStream out) {
            this.out = out;
        }

        void write(ConsumerRecord<byte[], byte[]> r) throws IOException {
            entry.clear();
            entry.putInt(r.partition()).putInt(0).putLong(r.offset()).putLong(r.timestamp());
            entry.putInt(size(r.key())).putInt(size(r.value()));
            entry.putLong(Hash.of(r.key())).putLong(Hash.of(r.value()));
            putHeaders(r.headers());
            int prefix = Math.max(0, Math.min(PREFIX, size(r.value())));
            if (prefix > 0) {
                entry.put(r.value(), 0, prefix);
            }
            java.util.Arrays.fill(bytes, entry.position(), ENTRY, (byte) 0);
            out.write(bytes);
            count++;
        }

        private void putHeaders(Headers headers) {
            int n = 0;
            for (Header ignored : headers) {
                n++;
            }
            long h = Hash.SEED + n;
            for (Header header : headers) {
                h = Hash.step(h, Hash.of(header.key().getBytes(StandardCharsets.UTF_8)));
                h = Hash.step(h, Hash.of(header.value()));
            }
            entry.putLong(Hash.finish(h));
            entry.putInt(4, n);
        }

        void end() throws IOException {
            java.util.Arrays.fill(bytes, (byte) 0);
            entry.clear();
            entry.putInt(-1).putInt(0).putLong(count);
            out.write(bytes);
            out.flush();
        }

        @Override
        public void close() throws IOException {
            out.flush();
        }

        private static int size(byte[] b) {
            return b == null ? -1 : b.length;
        }
    }

    /** Hash is ledger.Hash: eight bytes per step, the length in the seed, -1 for null. */
    private static final class Hash {
        static final long SEED = 0x9E3779B97F4A7C15L;
        private static final long PRIME = 0xD6E8FEB86659FD93L;
        private static final VarHandle LONGS =
                MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

        static long step(long h, long word) {
            return (Long.rotateLeft(h, 27) ^ word) * PRIME;
        }

        static long finish(long h) {
            h ^= h >>> 33;
            h *= 0xFF51AFD7ED558CCDL;
            h ^= h >>> 33;
            h *= 0xC4CEB9FE1A85EC53L;
            return h ^ h >>> 33;
        }

        static long of(byte[] b) {
            if (b == null) {
                return finish(SEED - 1);
            }
            long h = SEED + b.length;
            int i = 0;
            for (; i + 8 <= b.length; i += 8) {
                h = step(h, (long) LONGS.get(b, i));
            }
            if (i < b.length) {
                long tail = 0;
                for (int shift = 0; i < b.length; i++, shift += 8) {
                    tail |= (b[i] & 0xFFL) << shift;
                }
                h = step(h, tail);
            }
            return finish(h);
        }
    }

    /** selfTest holds the table of tests/ledger/plan_test.go. */
    private static void selfTest() {
        byte[] hundred = new byte[100];
        for (int i = 0; i < hundred.length; i++) {
            hundred[i] = (byte) (i * 7);
        }
        byte[][] in = {null, {}, {0}, "12345678".getBytes(StandardCharsets.US_ASCII),
            "123456789".getBytes(StandardCharsets.US_ASCII), hundred};
        long[] want = {0x25b775faeca8f520L, 0x9ca066f1a4ab2eeaL, 0x03abe221df1afb68L,
            0x2aa1e2e0cba750c9L, 0xc4f3a733d351e2cdL, 0xb25ffd00a42da3f0L};
        for (int i = 0; i < in.length; i++) {
            if (Hash.of(in[i]) != want[i]) {
                throw new IllegalStateException("hash " + i + " is " + Long.toHexString(Hash.of(in[i])));
            }
        }
    }
}
