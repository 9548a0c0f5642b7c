package kring.worker;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Source makes one sender's records. The producer has copied a value when send
 * returns, so values, and where neither key nor size varies whole records, are
 * used again.
 */
final class Source {
    /** What a value needs to carry a stamp; bench/payload.go has its layout. */
    private static final int STAMP = 24;

    private static final int MAX_READY = 1 << 16;
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private final Plan plan;
    private final int sender;
    private final byte[][] slots;
    private final Mix random;
    private final boolean fixed;
    private final boolean stamped;
    private final int partitions; // 0: the client's own choice
    private final long offset;
    private final ProducerRecord<byte[], byte[]>[] ready;

    Source(Plan plan, Pool pool, int sender) {
        this.plan = plan;
        this.sender = sender;
        slots = pool.copy();
        random = new Mix(plan.seed(), sender);
        fixed = plan.sizes().fixed();
        stamped = plan.verify().equals("full");
        partitions = plan.roundRobin() ? plan.partitions() : 0;
        // Senders start apart, so that they do not march in step.
        offset = plan.roundRobin() ? (long) sender * plan.partitions() / plan.senders() : 0;
        ready = fixed && plan.keys().none() && slots.length * Math.max(partitions, 1) <= MAX_READY ? readyMade() : null;
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // Java has no generic arrays.
    private ProducerRecord<byte[], byte[]>[] readyMade() {
        int targets = Math.max(partitions, 1);
        ProducerRecord<byte[], byte[]>[] out = new ProducerRecord[slots.length * targets];
        for (int i = 0; i < out.length; i++) {
            Integer partition = partitions > 0 ? i % targets : null;
            out[i] = new ProducerRecord<>(plan.settings().topic(), partition, null, slots[i / targets]);
        }
        return out;
    }

    /** The record with this sequence; it is valid until the next call. */
    ProducerRecord<byte[], byte[]> make(long seq) {
        int slot = (int) (seq & (slots.length - 1));
        byte[] value = slots[slot];
        int size = fixed ? value.length : plan.sizes().draw(random);
        if (stamped && size >= STAMP) {
            stamp(value, size, Tag.of(sender, seq));
        }
        int partition = partitions > 0 ? (int) ((seq + offset) % partitions) : -1;
        if (ready != null) {
            return ready[partitions > 0 ? slot * partitions + partition : slot];
        }
        byte[] key = plan.keys().pick(random, seq << 12 | sender);
        return new ProducerRecord<>(
                plan.settings().topic(), partition < 0 ? null : partition, key, fixed ? value : Arrays.copyOf(value, size));
    }

    private void stamp(byte[] value, int size, long tag) {
        LONG.set(value, 0, plan.runId());
        LONG.set(value, 8, tag);
        INT.set(value, 16, size);
        INT.set(value, 20, (int) Mix.mix64(plan.runId() ^ tag * Mix.GOLDEN ^ size));
    }

    static int bytes(ProducerRecord<byte[], byte[]> record) {
        return record.value().length + (record.key() == null ? 0 : record.key().length);
    }
}
