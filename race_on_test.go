//go:build race

package kring_test

const raceEnabled = true
