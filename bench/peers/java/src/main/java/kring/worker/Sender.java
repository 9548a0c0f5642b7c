package kring.worker;

import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.InterruptException;

/** Sender is one thread that produces. Its counters are read when it has ended. */
final class Sender extends Thread {
    /** Records between two looks at the signals of a closed loop. */
    private static final int LOOK_EVERY = 64;
    /** Records of a backlog that are sent on one reading of the clock. */
    private static final int BURST_READS = 8;
    /** Ends a sender whose client accepts nothing. */
    private static final int REJECT_LIMIT = 100;
    /** Bounds one sleep, so that stop is noticed. */
    private static final long MAX_NAP = 50_000_000;
    /** How long an open loop may go on after its end in order to send what was due before it. */
    static final long GRACE = 10_000_000_000L;

    /** Signals are what the controller tells all senders. */
    static final class Signals {
        volatile boolean measuring;
        volatile boolean stop;
    }

    final int index;
    final Hist call = new Hist();
    final Hist lag = new Hist();
    final Hist wake = new Hist();
    long seq;
    long bytes;
    long warmBytes;
    long rejected;

    private final Plan plan;
    private final Books books;
    private final Shard shard;
    private final Signals signals;
    private final Source source;
    private final KafkaProducer<byte[], byte[]> producer;
    private final int sample;
    private int left; // records until the next sampled one

    Sender(int id, Books books, Pool pool, Signals signals, KafkaProducer<byte[], byte[]> producer) {
        super("sender-" + id);
        index = id;
        this.books = books;
        this.signals = signals;
        this.producer = producer;
        plan = books.plan;
        shard = books.shards[id];
        source = new Source(plan, pool, id);
        sample = plan.stampSample();
        left = id % sample; // Samples start apart from each other.
    }

    @Override
    public void run() {
        try {
            if (plan.open()) {
                open(books.planned(index));
            } else {
                closed();
            }
        } catch (InterruptedException | InterruptException e) {
            // The run ends; what was about to be sent was not accepted.
        }
    }

    /** Produces as fast as send returns. */
    private void closed() throws InterruptedException {
        long bound = plan.records() > 0 ? plan.share(index) : Long.MAX_VALUE;
        boolean measuring = shard.measured == 0;
        long end = measuring ? bound : Long.MAX_VALUE;
        while (seq < end) {
            if (seq % LOOK_EVERY == 0) {
                if (signals.stop) {
                    return;
                }
                if (!measuring && signals.measuring) {
                    measuring = true;
                    shard.measured = seq;
                    warmBytes = bytes;
                    end = bound == Long.MAX_VALUE ? bound : seq + bound;
                }
            }
            if (shard.tokens != null) {
                shard.tokens.acquire();
            }
            if (plan.busy() > 0) {
                compute();
            }
            boolean more;
            if (left > 0) {
                left--;
                more = produce(0);
            } else {
                left = sample - 1;
                more = timed(System.nanoTime()) >= 0;
            }
            if (!more) {
                return;
            }
        }
    }

    /** Keeps its processor for the time that an application's own work takes. */
    private void compute() {
        long start = System.nanoTime();
        while (System.nanoTime() - start < plan.busy()) {
            // The work is to be busy.
        }
    }

    /** Sends every record at or after its intended time, and everything that is due at once. */
    private void open(long end) {
        long zero = books.start;
        long grace = plan.duration() == 0 ? Long.MAX_VALUE : plan.warmup() + plan.duration() + GRACE;
        long now = System.nanoTime() - zero;
        long woke = now; // What was due before has waited for the harness, and not for the client.
        while (seq < end) {
            long due = books.schedule.intended(index, seq);
            if (now < due) {
                now = await(zero, due);
                woke = now;
            }
            if (signals.stop || now > grace) {
                return;
            }
            if (seq >= shard.measured) {
                lag.record(now - due);
                if (due <= woke) {
                    wake.record(woke - due);
                }
                if (seq == shard.measured) {
                    warmBytes = bytes;
                }
            }
            if (left > 0) {
                left--;
                if (!produce(0)) {
                    return;
                }
            } else {
                left = sample - 1;
                long after = timed(zero + now);
                if (after < 0) {
                    return;
                }
                now = after - zero;
            }
            if (seq % BURST_READS == 0) {
                now = System.nanoTime() - zero;
            }
        }
    }

    /** Sleeps until due, or longer: how much longer is not the client's doing, for all that was due meanwhile. */
    private long await(long zero, long due) {
        long now = System.nanoTime() - zero;
        while (now < due && !signals.stop) {
            LockSupport.parkNanos(Math.min(due - now, MAX_NAP));
            now = System.nanoTime() - zero;
        }
        return now;
    }

    /** Produces with a stamp. Returns the newest reading of the clock, -1 to end. */
    private long timed(long before) {
        boolean measured = seq >= shard.measured;
        long refused = rejected;
        boolean more = produce(before);
        long after = System.nanoTime();
        if (measured && rejected == refused) {
            call.record(after - before);
        }
        return more ? after : -1;
    }

    /** Hands the next record over; false ends the sender. */
    private boolean produce(long sent) {
        ProducerRecord<byte[], byte[]> record = source.make(seq);
        try {
            producer.send(record, new Shard.Completion(shard, seq, sent));
        } catch (InterruptException e) {
            throw e;
        } catch (RuntimeException e) {
            rejected++;
            books.fail(Tag.of(index, seq), new IllegalStateException("not accepted: " + e.getMessage(), e));
            if (shard.tokens != null) {
                shard.tokens.release();
            }
        }
        seq++;
        bytes += Source.bytes(record);
        return rejected < REJECT_LIMIT;
    }
}
