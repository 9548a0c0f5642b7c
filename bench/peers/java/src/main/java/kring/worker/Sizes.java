package kring.worker;

import java.util.ArrayList;
import java.util.List;

/** Sizes is a distribution of value sizes: ranges, drawn by weight. */
record Sizes(String spec, List<Part> parts, long weight) {
    record Part(long weight, int low, int high) {}

    /** Reads the canonical spellings of bench/size.go. */
    static Sizes parse(String spec) {
        int colon = spec.indexOf(':');
        String kind = spec.substring(0, Math.max(colon, 0));
        String rest = spec.substring(colon + 1);
        List<Part> parts = new ArrayList<>();
        switch (kind) {
            case "fixed" -> parts.add(new Part(1, bytes(rest), bytes(rest)));
            case "uniform" -> parts.add(range(rest, 1));
            case "mix" -> {
                for (String entry : rest.split(",")) {
                    String[] halves = entry.split("%x", 2);
                    if (halves.length < 2) {
                        throw new UsageException("record size \"" + spec + "\": \"" + entry + "\" is not percent%xsize");
                    }
                    parts.add(range(halves[1], (long) (Double.parseDouble(halves[0]) * 1000 + 0.5)));
                }
            }
            default -> throw new UsageException("record size \"" + spec + "\" is not fixed, uniform or mix");
        }
        return new Sizes(spec, parts, parts.stream().mapToLong(Part::weight).sum());
    }

    int max() {
        return parts.stream().mapToInt(Part::high).max().orElse(0);
    }

    boolean fixed() {
        return parts.stream().allMatch(p -> p.low == parts.get(0).high && p.high == p.low);
    }

    /** A fixed size takes nothing from the generator. */
    int draw(Mix random) {
        if (parts.size() == 1 && parts.get(0).low == parts.get(0).high) {
            return parts.get(0).low;
        }
        long w = random.below(weight);
        for (Part p : parts) {
            if (w < p.weight) {
                return p.low + (int) random.below(p.high - p.low + 1);
            }
            w -= p.weight;
        }
        throw new IllegalStateException("the weights of " + spec + " do not add up");
    }

    private static Part range(String text, long weight) {
        String[] ends = text.split("-", 2);
        return new Part(weight, bytes(ends[0]), bytes(ends[ends.length - 1]));
    }

    private static int bytes(String text) {
        return (int) Units.whole(text.replaceFirst("[Bb]$", ""));
    }
}
