package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/kring-go/kring"
	"github.com/kring-go/kring/bench"
)

// verifiableCmd is kbench verifiable: Kafka's VerifiableProducer with kring.
type verifiableCmd struct {
	BootstrapServer   string  `required:"" help:"Brokers to start from, comma separated." placeholder:"HOST:PORT,..."`
	Topic             string  `required:"" help:"Produce records to this topic." placeholder:"NAME"`
	MaxMessages       int64   `default:"-1" help:"How many to produce; -1 is until interrupted." placeholder:"N"`
	Throughput        float64 `default:"-1" help:"Records per second; -1 is as fast as possible." placeholder:"N"`
	Acks              string  `default:"-1" help:"all, -1, 1 or 0." placeholder:"ACKS"`
	MessageCreateTime int64   `default:"-1" help:"Create time of the first record in milliseconds since 1970; it goes on from there." placeholder:"MS"`
	ValuePrefix       string  `help:"Put this and a dot before each value." placeholder:"PREFIX"`
	RepeatingKeys     int64   `default:"-1" help:"Give each record a key, from 0 up to this number, and again." placeholder:"N"`
	CommandConfig     string  `aliases:"producer.config" help:"File of producer properties; flags win." placeholder:"FILE"`
}

// Help is the long text of kbench verifiable --help.
func (verifiableCmd) Help() string {
	return `Produces increasing numbers, and prints one line of JSON for each that was acknowledged
or failed, as Kafka's VerifiableProducer does: startup_complete, producer_send_success,
producer_send_error, shutdown_complete, tool_data. As there, nothing is retried unless the
properties say so.

Examples:

  kbench verifiable --bootstrap-server localhost:9092 --topic orders --max-messages 1000
  kbench verifiable --bootstrap-server localhost:9092 --topic orders --throughput 100 --value-prefix 1`
}

// The lines, in the order of Kafka's fields.
type (
	event struct {
		Timestamp int64  `json:"timestamp"`
		Name      string `json:"name"`
	}
	sent struct {
		event

		Key   *string `json:"key"`
		Value string  `json:"value"`
		Topic string  `json:"topic"`
	}
	sendSuccess struct {
		sent

		Partition int32 `json:"partition"`
		Offset    int64 `json:"offset"`
	}
	sendError struct {
		sent

		Exception string `json:"exception"`
		Message   string `json:"message"`
	}
	toolData struct {
		event

		Sent             int64   `json:"sent"`
		Acked            int64   `json:"acked"`
		TargetThroughput float64 `json:"target_throughput"`
		AvgThroughput    float64 `json:"avg_throughput"`
	}
)

// verifiable is one run. Callbacks come one at a time, but refusals come from
// the goroutine that sends, so the printer has a lock.
type verifiable struct {
	cmd     *verifiableCmd
	started time.Time

	mu     sync.Mutex
	out    *json.Encoder
	failed error // of the first line that could not be printed
	acked  int64
}

func newEvent(name string) event { return event{time.Now().UnixMilli(), name} }

func (v *verifiable) print(line any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := line.(sendSuccess); ok {
		v.acked++
	}
	if err := v.out.Encode(line); err != nil && v.failed == nil {
		v.failed = err
	}
}

func (c *verifiableCmd) Run(p *program) error {
	producer, err := c.producer()
	if err != nil {
		return bench.UsageError(err)
	}
	v := &verifiable{cmd: c, started: time.Now(), out: json.NewEncoder(p.stdout)}
	v.out.SetEscapeHTML(false)
	v.print(newEvent("startup_complete"))
	n := v.produce(p.ctx, producer)
	// An interrupted run still tells the fate of what it has sent.
	err = producer.Close(context.WithoutCancel(p.ctx))
	v.print(newEvent("shutdown_complete"))
	v.print(toolData{newEvent("tool_data"), n, v.acked, c.Throughput, 1000 * float64(v.acked) / float64(max(time.Since(v.started).Milliseconds(), 1))})
	switch {
	case v.failed != nil:
		return fmt.Errorf("writing the events: %w", v.failed)
	case err != nil:
		return err
	case v.acked < n:
		p.code = bench.ExitRuntime
	}
	return nil
}

// producer is one with VerifiableProducer's settings.
func (c *verifiableCmd) producer() (*kring.Producer, error) {
	props, err := readProps(c.CommandConfig, nil)
	if err != nil {
		return nil, err
	}
	// Idempotence needs retries, and Kafka's tool has none by default.
	for name, value := range map[string]string{"retries": "0", "enable.idempotence": "false"} {
		if _, ok := props[name]; !ok {
			props[name] = value
		}
	}
	props["acks"], props["bootstrap.servers"] = c.Acks, c.BootstrapServer
	options, err := readJava(props)
	if err != nil {
		return nil, err
	}
	return kring.New(options...)
}

// produce sends until there is nothing more to send, and returns how many were.
func (v *verifiable) produce(ctx context.Context, producer *kring.Producer) int64 {
	c := v.cmd
	topic := producer.Topic(c.Topic)
	pace := time.NewTimer(0)
	defer pace.Stop()
	n := int64(0)
	for ; c.MaxMessages < 0 || n < c.MaxMessages; n++ {
		if c.Throughput > 0 {
			pace.Reset(time.Until(v.started.Add(time.Duration(float64(n) / c.Throughput * float64(time.Second)))))
			select {
			case <-pace.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			break
		}
		line, record := v.record(n)
		err := topic.Produce(ctx, record, func(d kring.Delivery) {
			if d.Err != nil {
				v.refuse(line, d.Err)
				return
			}
			line.event = newEvent("producer_send_success")
			v.print(sendSuccess{line, d.Partition, d.Offset})
		})
		if err != nil {
			v.refuse(line, err)
		}
	}
	return n
}

// record is the n-th, and what will be said of it.
func (v *verifiable) record(n int64) (sent, kring.Record) {
	line := sent{Value: strconv.FormatInt(n, 10), Topic: v.cmd.Topic}
	if v.cmd.ValuePrefix != "" {
		line.Value = v.cmd.ValuePrefix + "." + line.Value
	}
	record := kring.Record{Value: []byte(line.Value)}
	if v.cmd.RepeatingKeys > 0 {
		key := strconv.FormatInt(n%v.cmd.RepeatingKeys, 10)
		line.Key, record.Key = &key, []byte(key)
	}
	if v.cmd.MessageCreateTime >= 0 {
		record.Timestamp = time.UnixMilli(v.cmd.MessageCreateTime).Add(time.Since(v.started))
	}
	return line, record
}

func (v *verifiable) refuse(line sent, err error) {
	line.event = newEvent("producer_send_error")
	v.print(sendError{line, fmt.Sprintf("%T", err), err.Error()})
}
