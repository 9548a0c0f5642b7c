package kring.worker;

/** Arrivals is bench/arrival.go: how the records of an open loop fall due. One record a block is the constant timetable. */
record Arrivals(String spec, int block, int[] offsets) {
    private static final int POISSON_BLOCK = 1 << 16;
    private static final int MAX_BURST = 1_000_000;

    /** Offsets are in 1/2^15 of a gap. */
    private static final int BITS = 15;

    private static final long STREAM = 0x61727269L;

    static Arrivals parse(String spec, long seed) {
        if (spec.equals("constant")) {
            return new Arrivals(spec, 1, null);
        }
        if (spec.equals("poisson")) {
            return new Arrivals(spec, POISSON_BLOCK, poisson(seed));
        }
        if (spec.matches("burst:[0-9]{1,7}")) {
            int n = Integer.parseInt(spec.substring("burst:".length()));
            if (n >= 1 && n <= MAX_BURST) {
                return new Arrivals(spec, n, null);
            }
        }
        throw new UsageException("arrival is \"" + spec + "\", want constant, poisson or burst:N");
    }

    private static int[] poisson(long seed) {
        Mix random = new Mix(seed, STREAM);
        double[] gaps = new double[POISSON_BLOCK];
        double sum = 0;
        for (int i = 0; i < gaps.length; i++) {
            gaps[i] = -Math.log(1 - random.unit());
            sum += gaps[i];
        }
        int[] offsets = new int[POISSON_BLOCK];
        double at = 0;
        for (int i = 0; i < gaps.length; i++) {
            offsets[i] = (int) (at / sum * ((long) POISSON_BLOCK << BITS));
            at += gaps[i];
        }
        return offsets;
    }

    /** How long after the first record of its block the i-th falls due, in nanoseconds. */
    long offset(int i, long rate) {
        if (offsets == null) {
            return 0;
        }
        // 31 bits of an offset and 30 of a second fit.
        return offsets[i] * 1_000_000_000L / (rate << BITS);
    }
}
