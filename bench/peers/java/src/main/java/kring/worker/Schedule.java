package kring.worker;

/**
 * Schedule is the absolute timetable of an open loop: record n of the run is
 * intended at n/rate seconds after the start, whatever happened to those before
 * it. The senders take turns: n = seq * senders + sender.
 */
record Schedule(long rate, long senders) {
    private static final long SECOND = 1_000_000_000L;

    /** When the sender's record seq is due, in nanoseconds since the start. */
    long intended(int sender, long seq) {
        long n = seq * senders + sender;
        // floor(n * 1e9 / rate) in two parts, which can not overflow.
        return n / rate * SECOND + n % rate * SECOND / rate;
    }

    /** How many records of a sender are intended before t nanoseconds. */
    long before(int sender, long t) {
        if (t <= 0) {
            return 0;
        }
        long n = t / SECOND * rate + (t % SECOND * rate + SECOND - 1) / SECOND;
        return n <= sender ? 0 : (n - sender + senders - 1) / senders;
    }
}
