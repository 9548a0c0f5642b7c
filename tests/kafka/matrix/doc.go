// Package matrix keeps what kring and each release of Apache Kafka say to each
// other, and makes the table of docs/guides/versions.md from it.
//
//	make matrix, for each release:
//	  kring ──► Tap ──► broker        a short conformance run; the tap reads along
//	              └──► Result ──► <release>.json
//
//	*.json ─┐
//	KIPs ───┴─► Render ──► docs/guides/versions.md, between the markers
//
// The results are observations: nothing in them is written by hand. The test
// of this package needs no Java. It fails when the page is not what the results
// give, or names a test that does not exist.
package matrix
