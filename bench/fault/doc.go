// Package fault disturbs the network between a client and its brokers: a proxy
// for TCP connections, which are opened through its Dial.
//
//	client ─► loopback ─► near │ up ─────────────────────────► far │ ─► broker
//	        ◄─          ◄─     │ ◄─ answers ◄─ line ◄─ down ◄─      │ ◄─
//
// Because the client's dialer is the way in, the addresses that brokers
// advertise can not lead past it, and what the client gets is a TCP connection,
// as always. Nothing is parsed: TLS and any protocol pass as they are.
//
// # What a fault does
//
//	latency      an answer arrives so much later, and so does the end of a
//	             connection attempt: the round trip is longer by that much.
//	             Answers under way keep their order, and no rate is lost
//	bandwidth    each broker's link carries so many bytes per second, in each
//	             direction, for all its connections together
//	reset        connections are reset, those that exist and those that come
//	blackhole    nothing passes, in neither direction. Connections live, what was
//	             written waits, as TCP would send it again, and passes at the end;
//	             connection attempts wait too
//	broker-stop  connections are closed, and attempts are refused. The brokers do
//	             not know: nobody else takes over a partition
//
// The end of a fault lets go what it has held back, at once.
//
// # Ownership
//
//	Proxy.mu      guards the list of faults, links, and every link's tunnels
//	link.weather  an immutable snapshot of what holds for one broker; swapped
//	              under Proxy.mu, read without. Whoever waits for it to change
//	              waits for the closing of the old one's channel
//	tunnel        one connection; up, down and answers are a goroutine each, and
//	              the last of them takes it off its link
package fault
