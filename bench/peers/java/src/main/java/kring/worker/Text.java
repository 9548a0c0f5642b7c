package kring.worker;

/** Text is the payloads of bench/payload_text.go, byte for byte: the verifier computes them again. */
final class Text {
    /** More than the records of a batch that codecs see at once. */
    static final int BODIES = 1024;

    /** One line: # is a digit, % a hexadecimal digit, @ a word. */
    private static final String RECORD = "{\"timestamp\":17639########,\"level\":\"info\",\"service\":\"@-@\","
            + "\"trace_id\":\"%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%\",\"span_id\":\"%%%%%%%%%%%%%%%%\",\"user_id\":########,\"method\":\"GET\",\"path\":\"/api/v1/@/#####\","
            + "\"status\":20#,\"duration_ms\":##.###,\"message\":\"@ @ @ of @ for @\"},";

    private static final String[] WORDS = {
        "account", "address", "basket", "billing", "cache", "catalog", "checkout", "customer",
        "delivery", "discount", "event", "failed", "gateway", "invoice", "item", "ledger",
        "lookup", "merchant", "notice", "order", "parcel", "payment", "pending", "price",
        "profile", "refund", "request", "session", "shipment", "stored", "updated", "voucher",
    };

    private static final String DIGITS = "0123456789abcdef";

    private Text() {}

    /** Fills the bodies, and returns how many bytes are the line's own. */
    static long fill(byte[][] bodies, long seed) {
        Mix random = new Mix(seed, 0x74657874);
        long fixed = 0;
        for (byte[] body : bodies) {
            int n = 0;
            for (int at = 0; n < body.length; at = (at + 1) % RECORD.length()) {
                char c = RECORD.charAt(at);
                switch (c) {
                    case '#' -> body[n++] = (byte) DIGITS.charAt((int) random.below(10));
                    case '%' -> body[n++] = (byte) DIGITS.charAt((int) random.below(16));
                    case '@' -> n += put(WORDS[(int) random.below(WORDS.length)], body, n);
                    default -> {
                        body[n++] = (byte) c;
                        fixed++;
                    }
                }
            }
        }
        return fixed;
    }

    /** Writes as much of the word as there is room for. */
    private static int put(String word, byte[] body, int at) {
        int length = Math.min(word.length(), body.length - at);
        for (int i = 0; i < length; i++) {
            body[at + i] = (byte) word.charAt(i);
        }
        return length;
    }
}
