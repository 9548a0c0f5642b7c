package kringtest

import (
	"cmp"
	"errors"

	"github.com/kring-go/kring"
)

// Outcome is what becomes of one record that a Recorder is given. The zero
// Outcome is Delivered.
type Outcome struct {
	refused   error
	err       error
	certainty kring.Certainty
}

// Delivered accepts the record, and delivers it at the next offset of its
// partition.
func Delivered() Outcome { return Outcome{} }

// Refused does not accept the record: Produce, TryProduce and ProduceSync
// return err itself, and no callback is called. Services meet
// kring.ErrBufferFull and kring.ErrMetadataPending from TryProduce,
// kring.ErrMaxBlock from Produce, and from both kring.ErrRecordTooLarge,
// kring.ErrUnknownTopic and the like.
func Refused(err error) Outcome { return Outcome{refused: cmp.Or(err, errNoCause)} }

// errNoCause stands for a cause that the test has left out: a record that should
// fail must not be delivered.
var errNoCause = errors.New("kringtest: the test gives no cause")

// Failed accepts the record, and reports a *kring.ProduceError with that cause
// and certainty. The cause may be a kring.KafkaError, one of kring's errors such
// as kring.ErrDeliveryTimeout, or any other.
func Failed(cause error, certainty kring.Certainty) Outcome {
	return Outcome{err: cmp.Or(cause, errNoCause), certainty: certainty}
}

// delivery is the outcome as a callback hears of it. offset is used up only if
// the record is delivered.
func (o Outcome) delivery(r *kring.Record, partition int32, offset int64) kring.Delivery {
	d := kring.Delivery{
		Topic: r.Topic, Partition: partition, Offset: offset,
		Timestamp: r.Timestamp.UnixMilli(), Tag: r.Tag,
	}
	if o.err == nil {
		return d
	}
	d.Offset = -1
	failure := &kring.ProduceError{
		Topic: r.Topic, Partition: partition, Broker: 1, Attempts: 1,
		Certainty: o.certainty, Err: o.err,
	}
	if code := kring.None; errors.As(o.err, &code) {
		failure.Code = int16(code)
	}
	d.Err = failure
	return d
}
