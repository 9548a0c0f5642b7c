package kring.worker;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Keys chooses the key of every record, as bench/keys.go does: 16 hex digits. */
final class Keys {
    static final int SIZE = 16;

    final String spec;
    private final String kind;
    private final byte[][] table;
    private final double[] cumulative;

    private Keys(String spec, String kind, int n, double skew) {
        this.spec = spec;
        this.kind = kind;
        table = new byte[n][];
        cumulative = new double[kind.equals("zipf") ? n : 0];
        double sum = 0;
        for (int i = 0; i < n; i++) {
            table[i] = key(i);
            if (cumulative.length > 0) {
                sum += Math.pow(i + 1, -skew);
                cumulative[i] = sum;
            }
        }
    }

    static Keys parse(String spec) {
        String[] halves = spec.split(":", 2);
        String rest = halves.length > 1 ? halves[1] : "";
        double skew = 1;
        switch (halves[0]) {
            case "", "none":
                return new Keys("none", "none", 0, 0);
            case "seq":
                return new Keys(spec, "seq", 0, 0);
            case "zipf":
                String[] arguments = rest.split(",", 2);
                rest = arguments[0];
                skew = arguments.length > 1 ? Double.parseDouble(arguments[1]) : 1;
                break;
            case "uniform":
                break;
            default:
                throw new UsageException("keys \"" + spec + "\" is not none, seq, uniform:N or zipf:N,s");
        }
        return new Keys(spec, halves[0], (int) Units.whole(rest.replace("_", "")), skew);
    }

    boolean none() {
        return kind.equals("none");
    }

    byte[] pick(Mix random, long number) {
        switch (kind) {
            case "none":
                return null;
            case "seq":
                return key(number);
            case "uniform":
                return table[(int) random.below(table.length)];
            default:
                int i = Arrays.binarySearch(cumulative, random.unit() * cumulative[cumulative.length - 1]);
                return table[Math.min(i < 0 ? -i - 1 : i, table.length - 1)];
        }
    }

    /** Mixed first, so that neighbours differ in every digit. */
    private static byte[] key(long number) {
        return String.format("%016x", Mix.mix64(number)).getBytes(StandardCharsets.US_ASCII);
    }
}
