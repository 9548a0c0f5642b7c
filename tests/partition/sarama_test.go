// Package partition_test holds kring's compatible partitioners to the libraries
// that they are compatible with.
package partition_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/kring-go/kring"
)

func TestSaramaPartitioner(t *testing.T) {
	theirs, ours := sarama.NewHashPartitioner("t"), kring.SaramaPartitioner()
	for _, partitions := range []int32{1, 2, 3, 12, 100, 1 << 20} {
		at := kring.NewPartitions(partitions)
		for i := range 2000 {
			key := []byte(strings.Repeat(fmt.Sprint(i), i%7) + string([]byte{byte(i), byte(i >> 3)}))
			want, err := theirs.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, partitions)
			if err != nil {
				t.Fatal(err)
			}
			if got := ours.Partition(kring.Record{Key: key}, at); got != want {
				t.Fatalf("key %q of %d: partition %d, sarama's is %d", key, partitions, got, want)
			}
		}
	}
}

// TestMurmur2: the default is sarama's NewMurmur2Partitioner too.
func TestMurmur2(t *testing.T) {
	theirs := sarama.NewMurmur2Partitioner("t")
	for i := range 2000 {
		key := []byte(strings.Repeat(fmt.Sprint(i), i%7) + string([]byte{byte(i), byte(i >> 3)}))
		want, err := theirs.Partition(&sarama.ProducerMessage{Key: sarama.ByteEncoder(key)}, 97)
		if err != nil {
			t.Fatal(err)
		}
		if got := kring.NewPartitions(97).ByKey(key); got != want {
			t.Fatalf("key %q: partition %d, sarama's is %d", key, got, want)
		}
	}
}
