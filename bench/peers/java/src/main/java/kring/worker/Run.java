package kring.worker;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;

/** Run is one run from the first record to the closed producer; the main thread owns it. */
final class Run {
    private static final long OPEN_LEAD = 10_000_000; // every sender is asleep before the first record is due
    private static final long STOP_PATIENCE = 5_000; // milliseconds in send after the end
    private static final long DRAIN = 130_000_000_000L; // above delivery.timeout.ms
    private static final long PARTIAL_DRAIN = 10_000_000_000L;

    final Plan plan;
    final Books books;
    final Pool pool;
    final Sender[] senders;
    final String started = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
    final Pauses pauses = new Pauses();
    Meter begin;
    Meter end;
    long beginNs;
    long endNs;
    long beginAcked;
    long endAcked;

    private final KafkaProducer<byte[], byte[]> producer;
    private final Sender.Signals signals = new Sender.Signals();
    private boolean interrupted; // guarded by this
    private int alive; // guarded by this

    Run(Plan plan, KafkaProducer<byte[], byte[]> producer) {
        this.plan = plan;
        this.producer = producer;
        books = new Books(plan);
        pool = new Pool(plan);
        senders = new Sender[plan.senders()];
        for (int i = 0; i < senders.length; i++) {
            senders[i] = new Sender(i, books, pool, signals, producer);
        }
    }

    /** Ends the run early, from another thread; its result is then partial. */
    synchronized void interrupt() {
        interrupted = true;
        notifyAll();
    }

    synchronized boolean partial() {
        return interrupted;
    }

    void drive() throws InterruptedException {
        Meter.now(); // Its classes are loaded outside of the window.
        long start = System.nanoTime() + (plan.open() ? OPEN_LEAD : 0);
        books.start = start;
        if (plan.warmup() == 0) {
            openWindow();
        }
        launch();
        if (plan.warmup() > 0) {
            await(start + plan.warmup());
            openWindow();
        }
        boolean timeUp = plan.duration() > 0
                ? await(start + plan.warmup() + plan.duration() + (plan.open() ? Sender.GRACE : 0))
                : await(Long.MAX_VALUE);
        signals.stop = true;
        // A flat-out run is in a steady state at both ends of the window, so what is buffered there cancels out.
        if (timeUp || partial()) {
            closeWindow();
        }
        join();
        drain();
        if (end == null) {
            closeWindow();
        }
        try {
            producer.close(Duration.ofMillis(STOP_PATIENCE));
        } catch (KafkaException e) {
            books.note("close: " + e.getMessage());
        }
    }

    private void openWindow() {
        pauses.begin();
        begin = Meter.now();
        beginAcked = books.totalAcked();
        beginNs = Math.max(System.nanoTime(), books.start);
        signals.measuring = true;
    }

    private void closeWindow() {
        endNs = System.nanoTime();
        endAcked = books.totalAcked();
        end = Meter.now();
        pauses.end();
    }

    private void launch() {
        alive = senders.length;
        for (Sender sender : senders) {
            sender.start();
            Thread watcher = new Thread(() -> awaitEnd(sender), "watcher");
            watcher.setDaemon(true);
            watcher.start();
        }
    }

    private void awaitEnd(Sender sender) {
        try {
            sender.join();
        } catch (InterruptedException e) {
            // Nobody interrupts a watcher.
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            alive--;
            notifyAll();
        }
    }

    /** True at the instant until; false when the senders have ended or the run was interrupted before. */
    private synchronized boolean await(long until) throws InterruptedException {
        while (alive > 0 && !interrupted) {
            long wait = until == Long.MAX_VALUE ? TimeUnit.HOURS.toNanos(1) : until - System.nanoTime();
            if (wait <= 0) {
                return true;
            }
            TimeUnit.NANOSECONDS.timedWait(this, wait);
        }
        return false;
    }

    /** Calls back what is blocked in send. */
    private void join() throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(partial() ? 0 : STOP_PATIENCE);
        for (Sender sender : senders) {
            sender.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
            if (sender.isAlive()) {
                sender.interrupt();
            }
            sender.join();
        }
    }

    /** Waits until every accepted record has ended. flush itself knows no limit. */
    private void drain() throws InterruptedException {
        long limit = plan.drainTimeout() > 0 ? plan.drainTimeout() : DRAIN;
        if (partial()) {
            limit = Math.min(limit, PARTIAL_DRAIN);
        }
        Thread flush = new Thread(() -> {
            try {
                producer.flush();
            } catch (KafkaException e) {
                books.note("flush: " + e.getMessage());
            }
        }, "flush");
        flush.setDaemon(true);
        flush.start();
        flush.join(limit / 1_000_000);
        if (flush.isAlive()) {
            books.note("flush: not done after " + limit / 1_000_000 + " ms");
        }
    }
}
