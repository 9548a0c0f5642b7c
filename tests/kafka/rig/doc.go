// Package rig runs Apache Kafka on this machine for tests and measurements: one
// or three KRaft nodes on fixed loopback ports, straight from Kafka's own jars.
//
//	pom.xml ── mvn ──► .kafka/libs-<version>/*.jar      (once for each version)
//	Up(n) ──► .kafka/node1/{node.properties,data,kafka.log,pid}
//	          .kafka/node2/…                            (n folders, formatted anew)
//	Kill, Start ──► one node by its pid
//	Down ──► all of them; the data stays for Dump until the next Up or Clean
//
// Everything that the rig knows lies in .kafka at the root of the repository,
// so that one process can start the nodes and another can stop them. A Rig
// holds no state of its own beyond that folder and may be opened any number of
// times; two of them must not change the cluster at the same moment.
//
// KAFKA_VERSION chooses another release than pom.xml's: any from 3.0.0 on, the
// first whose KRaft nodes start without ZooKeeper and know transactions.
//
// TestKerberos has a KDC of MIT Kerberos besides (KDC), a child of the test; where
// krb5kdc, kdb5_util, kadmin.local or kinit is missing, the test is skipped, and
// fails in CI.
//
// Broker n listens on port KAFKA_PORT+n-1 (19091 by default), its controller
// 100 above. With KAFKA_PORT and KAFKA_DIR, a folder for the nodes, a second
// cluster can run beside the first; both share the jars.
package rig
