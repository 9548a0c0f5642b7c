// Package kringtest is for testing what uses kring: a cluster inside the test's
// process with faults to order, and a stand-in for the producer itself.
//
//	                   the service under test
//	                    │                  │
//	             *kring.Producer       Recorder           outcomes as the test
//	                    │                  │              chooses them
//	           TCP on the loopback     memory of
//	                    │              the test
//	 OnProduce ─► Cluster: one log per partition
//	Fail, Delay, Stall,          │
//	Disconnect, DropAnswer       └─► Records, Await
//
// Use a [Cluster] to test that the service, the producer's settings and Kafka's
// errors fit together: the records go over a socket, and every retry is a real
// one. Use a [Recorder] to test what the service does with an outcome: nothing
// is encoded or sent, and an outcome that takes minutes on a cluster is there
// at once.
//
// # The service's own interface
//
// kring has no interface for its producer, because it belongs to whoever calls
// it: a service that declares the methods it uses is tested with a stand-in of
// just those. A Recorder satisfies every such interface, and so does a
// *kring.Producer:
//
//	package orders
//
//	// sender is what this package needs of a producer.
//	type sender interface {
//		TryProduce(r kring.Record, cb kring.Callback) error
//		Close(ctx context.Context) error
//	}
//
// [Producer] has all the methods that both share, for services that use most.
//
// # Faults
//
// OnProduce takes faults in sequence and returns a [Script], which counts how
// often they were met:
//
//	script := cluster.OnProduce(
//		kringtest.Fail(kring.NotLeaderOrFollower).Times(2),
//		kringtest.DropAnswer().For("orders", 1).Times(1),
//	)
//
// A fault is met by a whole request, which carries at most one batch for each
// partition. Several scripts work at the same time, in the order of their
// OnProduce; what one request can not suffer twice, such as two ways to lose the
// connection, the later script keeps for the next request.
//
// # The end of a test
//
// NewCluster, NewProducer and NewRecorder stop what they started when the test
// ends: first the producers, with all faults lifted, then the cluster. No
// goroutine is left after that.
package kringtest
