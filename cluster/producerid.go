package cluster

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const newestInitProducerID = 5

// InitProducerID gets a producer id and epoch for an idempotent producer. It
// keeps trying, over all brokers and with backoff, until ctx ends or a broker
// gives an answer that trying again would not change: ErrNoProducerID, a
// *CodeError, or a *ProtocolError for an id that is none.
func (c *Client) InitProducerID(ctx context.Context) (id int64, epoch int16, err error) {
	for failures := 1; ; failures++ {
		err = c.pass(ctx, func(ctx context.Context, l *Link) error {
			if err = c.vouch(ctx, l); err == nil {
				id, epoch, err = c.askProducerID(ctx, l)
			}
			return err
		})
		if err == nil {
			return id, epoch, nil
		}
		if !worthRetrying(err) {
			return -1, -1, fmt.Errorf("producer id: %w", err)
		}
		if c.endOf(ctx) != nil {
			return -1, -1, fmt.Errorf("producer id: %w", err)
		}
		if c.wait(ctx, Backoff(c.cfg.RetryBackoff, c.cfg.RetryBackoffMax, failures, c.cfg.Rand)) != nil {
			return -1, -1, fmt.Errorf("producer id: %w (last: %w)", c.endOf(ctx), err)
		}
	}
}

// askProducerID is one request over l.
func (c *Client) askProducerID(ctx context.Context, l *Link) (int64, int16, error) {
	version, ok := l.Versions.Pick(keyInitProducerID, 0, newestInitProducerID)
	if !ok {
		return 0, 0, answer{fmt.Errorf("%s: %w", l.Address, ErrNoProducerID)}
	}
	req := kmsg.NewPtrInitProducerIDRequest()
	req.SetVersion(version)
	req.TransactionTimeoutMillis = math.MaxInt32 // Means nothing without a transactional id, but must be there.
	response, err := c.send(ctx, l, req)
	if err != nil {
		return 0, 0, err
	}
	message := response.(*kmsg.InitProducerIDResponse)
	switch {
	case message.ErrorCode != codeNone:
		return 0, 0, answer{&CodeError{Code: message.ErrorCode, Context: "InitProducerId of " + l.Address}}
	case !usableID(message.ProducerID, message.ProducerEpoch):
		return 0, 0, answer{&ProtocolError{Address: l.Address, Reason: fmt.Sprintf(
			"it gave out producer id %d with epoch %d", message.ProducerID, message.ProducerEpoch)}}
	}
	return message.ProducerID, message.ProducerEpoch, nil
}

// usableID refuses what would turn idempotence off without a word (-1) and an
// epoch that cannot be bumped any more.
func usableID(id int64, epoch int16) bool {
	return id >= 0 && epoch >= 0 && epoch < math.MaxInt16
}

// worthRetrying reports whether the error of a pass may go away by itself.
func worthRetrying(err error) bool {
	if code := (*CodeError)(nil); errors.As(err, &code) && !errors.As(err, new(*UnreachableError)) {
		switch code.Code {
		case codeCoordinatorLoading, codeCoordinatorMissing, codeNotCoordinator, codeConcurrentTxns,
			codeRequestTimedOut, codeNetworkException, codeNotController, codeThrottlingQuota:
			return true
		case codeUnknownServer: // Kafka 3.0 says so while it has no controller
			return true
		}
		return false
	}
	return errors.As(err, new(*UnreachableError))
}
