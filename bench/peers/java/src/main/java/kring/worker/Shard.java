package kring.worker;

import java.util.BitSet;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;

/** Shard is the end of one sender's records: what callbacks write. */
final class Shard {
    final int sender;
    /** The first sequence of the measured phase. */
    volatile long measured;

    /** Written by the network thread alone, so lazySet is enough. */
    final AtomicLong acked = new AtomicLong();

    final AtomicLong ackedWarm = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    /** A closed loop's bound of records under way; null without one. */
    final Semaphore tokens;

    private final Books books;
    private final BitSet ended; // completions seen; null unless everything is verified

    Shard(Books books, int sender, long measured) {
        this.books = books;
        this.sender = sender;
        this.measured = measured;
        tokens = books.plan.outstanding() > 0 ? new Semaphore(books.plan.outstanding()) : null;
        ended = books.plan.verify().equals("full") ? new BitSet() : null;
    }

    /** Completion is the callback of one record. sent is when it was handed over, 0 if that was not noted. */
    record Completion(Shard shard, long seq, long sent) implements Callback {
        @Override
        public void onCompletion(RecordMetadata metadata, Exception error) {
            shard.done(this, metadata, error);
        }
    }

    private void done(Completion c, RecordMetadata metadata, Exception error) {
        if (ended != null && again(c.seq)) {
            books.completedAgain();
            return;
        }
        boolean warm = c.seq < measured;
        if (error != null) {
            failed.incrementAndGet();
            books.fail(Tag.of(sender, c.seq), error);
        } else {
            books.acknowledged(Tag.of(sender, c.seq), metadata);
            AtomicLong count = warm ? ackedWarm : acked;
            count.lazySet(count.getPlain() + 1);
            if (!warm) {
                books.time(sender, c);
            }
        }
        if (tokens != null) {
            tokens.release();
        }
    }

    private boolean again(long seq) {
        synchronized (ended) {
            boolean before = ended.get((int) seq);
            ended.set((int) seq);
            return before;
        }
    }

    /** The first sequence from seq on that never ended. */
    long missing(long seq) {
        if (ended == null) {
            return Long.MAX_VALUE;
        }
        synchronized (ended) {
            return ended.nextClearBit((int) seq);
        }
    }
}
