// Package cluster tests the control plane against brokers that are not ours.
package cluster
