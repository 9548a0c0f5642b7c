// Package rig runs Apache Kafka on this machine for tests and measurements: one
// or three KRaft nodes on fixed loopback ports, straight from Kafka's own jars.
//
//	pom.xml ── mvn ──► .kafka/libs-<version>/*.jar      (once)
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
// Broker n listens on port KAFKA_PORT+n-1 (19091 by default), its controller
// 100 above.
package rig
