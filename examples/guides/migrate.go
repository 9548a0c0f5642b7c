package guides

import (
	"context"
	"time"

	"github.com/kring-go/kring"
)

// asFranz has the defaults of franz-go where kring has others.
func asFranz(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.Linger(10*time.Millisecond),
		kring.BatchSize(1000012),
		kring.BufferMemory(128<<20), // one batch per partition that is being filled
		kring.ConnectionsMaxIdle(30*time.Second),
	)
}

// asSarama has the defaults of sarama where kring has others. Think twice about
// the acks.
func asSarama(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.RequireAcks(kring.AcksLeader),
		kring.Retries(3),
		kring.Linger(0),
	)
}

// asConfluent has the defaults of librdkafka where kring has others.
func asConfluent(addrs ...string) (*kring.Producer, error) {
	return kring.New(
		kring.Brokers(addrs...),
		kring.DisableIdempotence(),
		kring.DeliveryTimeout(5*time.Minute),
		kring.BatchSize(1000000),
		kring.BufferMemory(128<<20), // allocated at once, so not librdkafka's 1 GiB
	)
}

// many sends several records and waits for all: what sarama's SendMessages and
// franz-go's ProduceSync with several records do.
func many(ctx context.Context, p *kring.Producer, records []kring.Record) error {
	failed := make(chan error, len(records))
	for _, r := range records {
		if err := p.Produce(ctx, r, func(d kring.Delivery) {
			if d.Err != nil {
				failed <- d.Err
			}
		}); err != nil {
			return err
		}
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
