package broker

import (
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/kring-go/kring/bench/broker"
)

func TestSaramaProduces(t *testing.T) {
	modes := []struct {
		name string
		set  func(*sarama.Config)
	}{
		{"0.11", func(c *sarama.Config) { c.Version = sarama.V0_11_0_0 }},
		{"2.1", func(c *sarama.Config) { c.Version = sarama.V2_1_0_0 }},
		{"newest", func(c *sarama.Config) { c.Version = sarama.MaxVersion }},
		{"idempotent", func(c *sarama.Config) {
			c.Version = sarama.MaxVersion
			c.Producer.Idempotent = true
			c.Producer.RequiredAcks = sarama.WaitForAll
			c.Net.MaxOpenRequests = 1
		}},
		{"no acks", func(c *sarama.Config) { c.Version = sarama.MaxVersion; c.Producer.RequiredAcks = sarama.NoResponse }},
	}
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			b := start(t, broker.Config{Brokers: 3, Partitions: 7, Verify: broker.VerifyFull})
			cfg := sarama.NewConfig()
			cfg.Producer.Return.Successes = true
			cfg.Producer.Return.Errors = true
			m.set(cfg)
			p, err := sarama.NewAsyncProducer(b.Addrs(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for i := range perTest {
					p.Input() <- &sarama.ProducerMessage{
						Topic: "t", Key: sarama.StringEncoder(fmt.Sprintf("k%d", i)), Value: sarama.StringEncoder(fmt.Sprintf("v%d", i)),
					}
				}
			}()
			for range perTest {
				select {
				case <-p.Successes():
				case err := <-p.Errors():
					t.Fatal(err)
				case <-time.After(60 * time.Second):
					t.Fatal("no answer for a minute")
				}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			for deadline := time.Now().Add(20 * time.Second); b.Stats().Records < perTest && time.Now().Before(deadline); {
				waitABit()
			}
			if got := b.Stats().Records; got != perTest {
				t.Errorf("the broker has %d records, want %d", got, perTest)
			}
			clean(t, b)
		})
	}
}
