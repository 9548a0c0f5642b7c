package kring.worker;

import java.util.Locale;

/** Units reads whole numbers with the suffixes of bench/units.go: k, M, G are powers of 1000, Ki, Mi, Gi of 1024. */
final class Units {
    private Units() {}

    static long whole(String text) {
        int end = 0;
        while (end < text.length() && "0123456789.".indexOf(text.charAt(end)) >= 0) {
            end++;
        }
        double factor = switch (text.substring(end).toLowerCase(Locale.ROOT)) {
            case "" -> 1;
            case "k" -> 1e3;
            case "m" -> 1e6;
            case "g" -> 1e9;
            case "ki" -> 1 << 10;
            case "mi" -> 1 << 20;
            case "gi" -> 1 << 30;
            default -> throw new UsageException("\"" + text + "\" is not a number with an optional suffix k, M, G, Ki, Mi or Gi");
        };
        try {
            return Math.round(Double.parseDouble(text.substring(0, end)) * factor);
        } catch (NumberFormatException e) {
            throw new UsageException("\"" + text + "\" is not a number");
        }
    }
}
