package bench

// Kinds of payload: random bytes, of which a share may repeat, or text.
const (
	PayloadRandom = "random"
	PayloadText   = "text"
)

// textBodies are more than the records of a batch that codecs see at once:
// otherwise they would find whole records again, as they never do in real data.
const textBodies = 1024

// textRecord is one line of a service's log: # is a digit, % a hexadecimal
// digit, @ a word. Batches of 16 KiB become about a third with gzip and zstd,
// and less than half with lz4 and snappy. The Java worker has the same.
const textRecord = `{"timestamp":17639########,"level":"info","service":"@-@","trace_id":"%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%","span_id":"%%%%%%%%%%%%%%%%",` +
	`"user_id":########,"method":"GET","path":"/api/v1/@/#####","status":20#,"duration_ms":##.###,` +
	`"message":"@ @ @ of @ for @"},`

// textWords are what @ stands for: a power of two of them.
func textWords() []string {
	return []string{
		"account", "address", "basket", "billing", "cache", "catalog", "checkout", "customer",
		"delivery", "discount", "event", "failed", "gateway", "invoice", "item", "ledger",
		"lookup", "merchant", "notice", "order", "parcel", "payment", "pending", "price",
		"profile", "refund", "request", "session", "shipment", "stored", "updated", "voucher",
	}
}

// newTextPool fills every body with lines of textRecord.
func newTextPool(seed uint64, sizes Sizes) *pool {
	r := newRNG(seed, 0x74657874)
	p := newEmptyPool(PayloadText, sizes)
	words := textWords()
	for _, body := range p.bodies {
		p.fixed += fillText(body, r, words)
	}
	return p
}

// fillText fills body, and returns how many of its bytes are textRecord's own.
func fillText(body []byte, r *rng, words []string) int {
	const digits = "0123456789abcdef"
	fixed, n := 0, 0
	for at := 0; n < len(body); at = (at + 1) % len(textRecord) {
		switch c := textRecord[at]; c {
		case '#':
			body[n] = digits[r.below(10)]
			n++
		case '%':
			body[n] = digits[r.below(16)]
			n++
		case '@':
			n += copy(body[n:], words[r.below(uint64(len(words)))])
		default:
			body[n] = c
			n++
			fixed++
		}
	}
	return fixed
}
