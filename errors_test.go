package kring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestProduceErrorText(t *testing.T) {
	tests := []struct {
		name string
		err  ProduceError
		want string
	}{
		{
			name: "refused",
			err:  ProduceError{Topic: "orders", Partition: 3, Broker: 2, Code: 10, Attempts: 1, Certainty: NotPersisted, Err: MessageTooLarge},
			want: `kring: topic "orders" partition 3: failed after 1 attempt, the last at broker 2: ` +
				`MESSAGE_TOO_LARGE (10): the batch exceeds max.message.bytes of the topic or message.max.bytes of the broker; ` +
				`the record is not in the log, producing it again is safe`,
		},
		{
			name: "timeout after an answer",
			err:  ProduceError{Topic: "t", Partition: 0, Broker: 1, Code: 7, Attempts: 4, Err: ErrDeliveryTimeout},
			want: `kring: topic "t" partition 0: failed after 4 attempts, the last at broker 1: delivery timeout passed ` +
				`(the last answer was REQUEST_TIMED_OUT (7): the followers did not confirm within RequestTimeout); ` +
				`the record may be in the log, producing it again may store it twice`,
		},
		{
			name: "never sent",
			err:  ProduceError{Topic: "t", Partition: -1, Broker: -1, Certainty: NotPersisted, Err: ErrDeliveryTimeout},
			want: `kring: topic "t": never sent: delivery timeout passed; the record is not in the log, producing it again is safe`,
		},
		{
			name: "code alone",
			err:  ProduceError{Topic: "t", Broker: 1, Code: -1, Attempts: 1},
			want: `kring: topic "t" partition 0: failed after 1 attempt, the last at broker 1: ` +
				`UNKNOWN_SERVER_ERROR (-1): the broker met an error that it did not expect; its log says more; ` +
				`the record may be in the log, producing it again may store it twice`,
		},
		{
			name: "nothing known",
			err:  ProduceError{Topic: "t", Broker: 1, Certainty: NotPersisted},
			want: `kring: topic "t" partition 0: never sent to broker 1: unknown cause; the record is not in the log, producing it again is safe`,
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("Error() =\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestProduceErrorMatches(t *testing.T) {
	cause := fmt.Errorf("%w: %w", ErrDeliveryTimeout, context.DeadlineExceeded)
	var err error = &ProduceError{Topic: "t", Code: 19, Err: cause}
	wrapped := fmt.Errorf("while saving: %w", err)

	for _, target := range []error{ErrDeliveryTimeout, context.DeadlineExceeded, NotEnoughReplicas} {
		if !errors.Is(wrapped, target) {
			t.Errorf("errors.Is(%v) = false", target)
		}
	}
	for _, target := range []error{ErrClosed, None, NotLeaderOrFollower, strangerError()} {
		if errors.Is(wrapped, target) {
			t.Errorf("errors.Is(%v) = true", target)
		}
	}
	var pe *ProduceError
	if !errors.As(wrapped, &pe) || pe.Topic != "t" {
		t.Errorf("errors.As found %+v", pe)
	}
	var ke KafkaError
	if !errors.As(wrapped, &ke) || ke != NotEnoughReplicas {
		t.Errorf("errors.As found %v", ke)
	}
	if errors.As(error(&ProduceError{Err: ErrClosed}), &ke) {
		t.Error("errors.As found a Kafka error without a code")
	}
	if errors.Is(error(&ProduceError{Err: ErrClosed}), None) {
		t.Error("an error without a code is None")
	}
}

// strangerError has the text of one of ours and is not it.
func strangerError() error { return errors.New("kring: delivery timeout passed") }

func TestCertainty(t *testing.T) {
	var forgotten ProduceError
	if forgotten.Certainty != PossiblyPersisted {
		t.Errorf("a ProduceError whose certainty was forgotten claims %v", forgotten.Certainty)
	}
	for c, want := range map[Certainty]string{PossiblyPersisted: "PossiblyPersisted", NotPersisted: "NotPersisted", 7: "Certainty(7)"} {
		if got := c.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

func TestSentinelsHaveThePrefix(t *testing.T) {
	for _, err := range []error{
		ErrClosed, ErrBufferFull, ErrMaxBlock, ErrDeliveryTimeout, ErrRetriesExhausted, ErrRecordTooLarge,
		ErrUnknownTopic, ErrInvalidTopic, ErrInvalidPartition, ErrInvalidRecord, ErrBatchRejected,
		ErrMetadataPending, ErrInCallback, ErrConfig,
	} {
		if !strings.HasPrefix(err.Error(), "kring: ") {
			t.Errorf("%q lacks the prefix", err)
		}
	}
}
