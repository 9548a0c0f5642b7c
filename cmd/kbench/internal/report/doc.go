// Package report turns results into pages.
//
//	        ┌─► Page: one HTML file, charts by uPlot, no network request
//	runs ───┼─► Charts: SVG files, each light and dark
//	        └─► Update: tables between the markers of a Markdown file
//	                       ▲
//	compare.json ──────────┘ tables, losses, parity, method, bar charts
//
// Everything is computed from the results and the files beside them, and from
// nothing else: the same results always give the same bytes, so that a page can
// be checked against its results.
//
// assets holds uPlot 1.6.32 (MIT, see uPlot-LICENSE.txt) as published.
package report
