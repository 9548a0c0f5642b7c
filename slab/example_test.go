package slab_test

import (
	"context"
	"fmt"
	"time"

	"github.com/kring-go/kring/slab"
)

func Example() {
	s := slab.New(4*16384, 16384)

	batch := make([]uint32, 1)
	if err := s.Get(context.Background(), time.Minute, batch); err != nil {
		fmt.Println(err)
		return
	}
	copy(s.Bytes(batch[0]), "records")

	s.HoldSocket(batch[0])    // the bytes go to a connection
	s.ReleaseRecord(batch[0]) // the batch expires, but is still being written
	fmt.Println("free while the socket reads:", s.Free())
	s.ReleaseSocket(batch[0])
	fmt.Println("free after the last byte:", s.Free())

	fmt.Println("more than there is:", s.Get(context.Background(), time.Minute, make([]uint32, 5)))
	// Output:
	// free while the socket reads: 3
	// free after the last byte: 4
	// more than there is: slab: more than the whole memory was asked for
}
