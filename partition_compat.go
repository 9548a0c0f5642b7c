package kring

import "hash/crc32"

// SaramaPartitioner puts records with a key where the default partitioner of
// sarama (NewHashPartitioner) puts them, so that keys keep their partitions when
// a service moves from there: FNV-1a, and the absolute value of what is left. An
// empty key is a key. Records without one are the built-in partitioner's. For
// PartitionBy.
//
// sarama's NewReferenceHashPartitioner differs from it for about half of the
// keys, and its NewMurmur2Partitioner is what kring does by default.
func SaramaPartitioner() Partitioner {
	return PartitionerFunc(func(r Record, p Partitions) int32 {
		if r.Key == nil {
			return BuiltInPartition
		}
		const offset, prime = 2166136261, 16777619
		hash := uint32(offset)
		for _, b := range r.Key {
			hash = (hash ^ uint32(b)) * prime
		}
		partition := int32(hash) % p.Count()
		if partition < 0 {
			partition = -partition
		}
		return partition
	})
}

// LibrdkafkaPartitioner puts records with a key where librdkafka's default
// partitioner (consistent_random) puts them, so that keys keep their partitions
// when a service moves from there, or from confluent-kafka-go: the CRC-32 of the
// key. Records without a key, or with an empty one, are the built-in
// partitioner's. For PartitionBy. Its murmur2 and murmur2_random are what kring
// does by default.
func LibrdkafkaPartitioner() Partitioner {
	return PartitionerFunc(func(r Record, p Partitions) int32 {
		if len(r.Key) == 0 {
			return BuiltInPartition
		}
		return int32(crc32.ChecksumIEEE(r.Key) % uint32(p.Count()))
	})
}
