//go:build !linux

package netio

import "net"

// newSocket picks the socket for nc: there is only one here.
func newSocket(nc net.Conn) (socket, error) { return newNetSocket(nc), nil }
