package kring.worker;

/** Tag is a record's identity: its sender in the bits from 48, its sequence below. */
final class Tag {
    private static final int SENDER_SHIFT = 48;

    private Tag() {}

    static long of(int sender, long seq) {
        return ((long) sender << SENDER_SHIFT) | seq;
    }

    /** What a record at an offset adds to its partition's digest. */
    static long digest(long tag, long offset) {
        return Mix.mix64(tag * Mix.GOLDEN + offset);
    }
}
