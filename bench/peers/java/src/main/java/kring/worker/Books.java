package kring.worker;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Books is the account of a run: what became of every record, and how long it took. */
final class Books {
    private static final int MAX_FAILED = 1 << 20; // bounds the memory of a run in which everything fails
    private static final int MAX_ERROR_KINDS = 16;

    final Plan plan;
    final Schedule schedule;
    final Shard[] shards;
    /** The clock's reading at the run's zero, set before the first record. */
    volatile long start;

    // Of the network thread.
    final Hist response = new Hist();
    final Hist service = new Hist();
    private final long[] digests; // per partition; null unless everything is verified
    private boolean offsetsKnown = true;
    private final boolean every;

    // Guarded by this; rare.
    private final Map<String, Long> errors = new TreeMap<>();
    private final List<Long> failed = new ArrayList<>();
    private long twice;

    Books(Plan plan) {
        this.plan = plan;
        schedule = new Schedule(Math.max(plan.rate(), 1), plan.senders(), plan.arrivals());
        every = plan.open() && plan.responseSample() == 1;
        digests = plan.verify().equals("full") ? new long[Math.max(plan.partitions(), 1)] : null;
        shards = new Shard[plan.senders()];
        for (int i = 0; i < shards.length; i++) {
            shards[i] = new Shard(this, i, firstMeasured(i));
        }
    }

    /** Known beforehand where a timetable says so; otherwise the sender sets it when the warm-up ends. */
    long firstMeasured(int sender) {
        if (plan.warmup() == 0) {
            return 0;
        }
        return plan.open() ? schedule.before(sender, plan.warmup()) : Long.MAX_VALUE;
    }

    /** How many records of a sender the timetable holds. */
    long planned(int sender) {
        long end = plan.duration() > 0 ? schedule.before(sender, plan.warmup() + plan.duration()) : Long.MAX_VALUE;
        return plan.records() > 0 ? Math.min(end, firstMeasured(sender) + plan.share(sender)) : end;
    }

    /** What the log must hold of a record, so that whoever reads it back can tell whether its offset was the true one. */
    void acknowledged(long tag, RecordMetadata metadata) {
        if (digests == null) {
            return;
        }
        int partition = metadata.partition();
        if (!metadata.hasOffset() || partition < 0 || partition >= digests.length) {
            offsetsKnown = false;
        } else {
            digests[partition] += Tag.digest(tag, metadata.offset());
        }
    }

    /** From the intended time in an open loop, which no stall can overwrite. */
    void time(int sender, Shard.Completion c) {
        if (c.sent() == 0 && !every) {
            return;
        }
        long now = System.nanoTime();
        if (plan.open()) {
            response.record(now - start - schedule.intended(sender, c.seq()));
        }
        if (c.sent() != 0) {
            service.record(now - c.sent());
        }
    }

    synchronized void fail(long tag, Exception error) {
        note(error.getClass().getSimpleName() + ": " + error.getMessage());
        if (failed.size() < MAX_FAILED) {
            failed.add(tag);
        }
    }

    synchronized void note(String message) {
        boolean known = errors.containsKey(message) || errors.size() < MAX_ERROR_KINDS;
        errors.merge(known ? message : "(other errors)", 1L, Long::sum);
    }

    synchronized void completedAgain() {
        twice++;
    }

    synchronized long twice() {
        return twice;
    }

    /** The kinds of errors, most frequent first. */
    synchronized List<Map.Entry<String, Long>> errors() {
        return errors.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed()).toList();
    }

    /** Every acknowledged record, warm-up included. */
    long totalAcked() {
        long n = 0;
        for (Shard shard : shards) {
            n += shard.acked.get() + shard.ackedWarm.get();
        }
        return n;
    }

    /** What a reader of the topic must not miss: failed, rejected or never completed. sent is by sender. */
    synchronized List<Long> failedTags(long[] sent) {
        List<Long> out = new ArrayList<>(failed);
        for (Shard shard : shards) {
            for (long seq = shard.missing(0); seq < sent[shard.sender] && out.size() < 2 * MAX_FAILED; seq = shard.missing(seq + 1)) {
                out.add(Tag.of(shard.sender, seq));
            }
        }
        return out;
    }

    synchronized boolean failedAll(int listed) {
        return failed.size() < MAX_FAILED && listed < 2 * MAX_FAILED;
    }

    /** Null where some offset was not known. */
    long[] digests() {
        return offsetsKnown ? digests : null;
    }
}
