package bench

import (
	"context"
	"fmt"
	"time"
)

// TemporaryTopic creates a topic for several runs, and waits for its leaders.
// replication 0 is up to 3, as many as there are brokers. remove deletes it; it
// takes up to 10 s, whatever became of ctx.
func TemporaryTopic(ctx context.Context, a *Access, topic string, partitions, replication int) (remove func() error, err error) {
	_, created, err := ensureTopic(ctx, a, topic, partitions, replication)
	remove = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := deleteTopic(ctx, a, topic); err != nil {
			return fmt.Errorf("kbench: topic %s was not deleted: %w", topic, err)
		}
		return nil
	}
	if err == nil && !created {
		return nil, fmt.Errorf("kbench: topic %s exists already", topic)
	}
	if err != nil && created {
		_ = remove() // The first error is the one that matters.
	}
	return remove, err
}
