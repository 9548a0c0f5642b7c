package kring.worker;

/**
 * Schedule is the absolute timetable of an open loop: record n of the run is
 * intended at n/rate seconds after the start, or about then (see Arrivals),
 * whatever happened to those before it. The senders take turns: n = seq * senders
 * + sender.
 */
record Schedule(long rate, long senders, Arrivals arrivals) {
    private static final long SECOND = 1_000_000_000L;

    /** When the sender's record seq is due, in nanoseconds since the start. */
    long intended(int sender, long seq) {
        long n = seq * senders + sender;
        long in = n % arrivals.block();
        n -= in;
        // floor(n * 1e9 / rate) in two parts, which can not overflow.
        return n / rate * SECOND + n % rate * SECOND / rate + arrivals.offset((int) in, rate);
    }

    /** How many records of a sender are intended before t nanoseconds. */
    long before(int sender, long t) {
        if (t <= 0) {
            return 0;
        }
        long n = t / SECOND * rate + (t % SECOND * rate + SECOND - 1) / SECOND + arrivals.block();
        long count = n <= sender ? 0 : (n - sender + senders - 1) / senders;
        long from = 0;
        while (from < count) {
            long middle = from + (count - from) / 2;
            if (intended(sender, middle) < t) {
                from = middle + 1;
            } else {
                count = middle;
            }
        }
        return count;
    }
}
