// Package runs finds and reads the results that a command is about.
//
//	paths ─► files, folders of --out, folders of those ─► []Run, in order
package runs
