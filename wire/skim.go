package wire

// TimestampDelta reads no more of the record at the beginning of p than its
// timestamp delta, and skips to the record after it. It is for records that
// this process encoded: bytes that are not a record give 0 and no rest, and a
// record that goes on beyond p has no rest.
func TimestampDelta(p []byte) (delta int64, rest []byte) {
	body, n := varint32(p)
	if n == 0 || body < 1 || n == len(p) {
		return 0, nil
	}
	if end := n + int(body); end < len(p) {
		rest = p[end:]
	}
	if d := p[n+1:]; len(d) > 0 && d[0] == 0 {
		return 0, rest // the usual case: the same millisecond
	}
	delta, _ = varint64(p[n+1:])
	return delta, rest
}
