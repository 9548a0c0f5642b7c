package kring.worker;

import java.util.Arrays;

/** Pool is the bodies of the values, made before the first record: body k is that of the sequences that are k modulo their number. */
final class Pool {
    private static final int BODIES = 64;
    private static final int BYTES = 16 << 20;
    private static final int STRETCH = 64;

    final byte[][] bodies;
    private final long repeated;

    Pool(Plan plan) {
        boolean text = plan.payload().equals("text");
        int size = plan.sizes().max();
        int count = text ? Text.BODIES : BODIES;
        while (count > 1 && (long) count * size > BYTES) {
            count /= 2;
        }
        bodies = new byte[count][size];
        repeated = text ? Text.fill(bodies, plan.seed()) : fill(plan.seed(), plan.compressibility());
    }

    /** Fills the bodies with random bytes and repeated ones, and returns how many look repeated. */
    private long fill(long seed, double compressibility) {
        Mix random = new Mix(seed, 0x706f6f6c);
        int stretch = (int) (compressibility * STRETCH);
        long plain = 0;
        for (byte[] body : bodies) {
            for (int i = 0; i < body.length; i++) {
                body[i] = i % STRETCH < stretch ? (byte) 'k' : (byte) random.next();
                plain += body[i] == 'k' ? 1 : 0;
            }
        }
        return plain;
    }

    /** The share of bytes that are repeated, as achieved. */
    double ratio() {
        return (double) repeated / ((long) bodies.length * bodies[0].length);
    }

    /** Copies for one sender, which writes stamps over their heads. */
    byte[][] copy() {
        return Arrays.stream(bodies).map(byte[]::clone).toArray(byte[][]::new);
    }
}
