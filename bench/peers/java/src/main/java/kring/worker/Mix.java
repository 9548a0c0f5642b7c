package kring.worker;

/** Mix is SplitMix64 as bench/rng.go has it: the verifier computes every payload again. */
final class Mix {
    static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private long state;

    Mix(long seed, long stream) {
        state = mix64(seed ^ mix64(stream + 1));
    }

    long next() {
        state += GOLDEN;
        return mix64(state);
    }

    /** A number in [0, n). */
    long below(long n) {
        long x = next();
        // Java 17 has the signed product only.
        return Math.multiplyHigh(x, n) + ((x >> 63) & n);
    }

    /** A number in [0, 1). */
    double unit() {
        return (next() >>> 11) * 0x1p-53;
    }

    static long mix64(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
