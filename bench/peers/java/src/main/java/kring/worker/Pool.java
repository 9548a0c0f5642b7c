package kring.worker;

import java.util.Arrays;

/** Pool is the bodies of the values, made before the first record: body k is that of the sequences that are k modulo their number. */
final class Pool {
    private static final int BODIES = 64;
    private static final int BYTES = 16 << 20;
    private static final int STRETCH = 64;

    final byte[][] bodies;

    Pool(long seed, int size, double compressibility) {
        int count = BODIES;
        while (count > 1 && (long) count * size > BYTES) {
            count /= 2;
        }
        Mix random = new Mix(seed, 0x706f6f6c);
        int repeated = (int) (compressibility * STRETCH);
        bodies = new byte[count][size];
        for (byte[] body : bodies) {
            for (int i = 0; i < size; i++) {
                body[i] = i % STRETCH < repeated ? (byte) 'k' : (byte) random.next();
            }
        }
    }

    /** The share of bytes that are repeated, as achieved. */
    double ratio() {
        long plain = 0;
        long all = 0;
        for (byte[] body : bodies) {
            for (byte b : body) {
                plain += b == 'k' ? 1 : 0;
            }
            all += body.length;
        }
        return all == 0 ? 0 : (double) plain / all;
    }

    /** Copies for one sender, which writes stamps over their heads. */
    byte[][] copy() {
        return Arrays.stream(bodies).map(byte[]::clone).toArray(byte[][]::new);
    }
}
