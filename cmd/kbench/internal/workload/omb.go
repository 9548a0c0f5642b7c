package workload

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kring-go/kring"
	"go.yaml.in/yaml/v3"
)

// ombWorkload is what OpenMessaging Benchmark's workload files may say.
type ombWorkload struct {
	Name                      string   `yaml:"name"`
	Topics                    int      `yaml:"topics"`
	PartitionsPerTopic        int      `yaml:"partitionsPerTopic"`
	KeyDistributor            string   `yaml:"keyDistributor"`
	MessageSize               int      `yaml:"messageSize"`
	UseRandomizedPayloads     bool     `yaml:"useRandomizedPayloads"`
	RandomBytesRatio          *float64 `yaml:"randomBytesRatio"`
	RandomizedPayloadPoolSize int      `yaml:"randomizedPayloadPoolSize"`
	PayloadFile               string   `yaml:"payloadFile"`
	SubscriptionsPerTopic     int      `yaml:"subscriptionsPerTopic"`
	ConsumerPerSubscription   int      `yaml:"consumerPerSubscription"`
	ProducersPerTopic         int      `yaml:"producersPerTopic"`
	ProducerRate              float64  `yaml:"producerRate"`
	ConsumerBacklogSizeGB     float64  `yaml:"consumerBacklogSizeGB"`
	BacklogDrainRatio         float64  `yaml:"backlogDrainRatio"`
	TestDurationMinutes       float64  `yaml:"testDurationMinutes"`
	WarmupDurationMinutes     *float64 `yaml:"warmupDurationMinutes"`
	LogDir                    string   `yaml:"logDir"`
}

// ombDriver is the part of a driver file that is about the producer.
type ombDriver struct {
	ReplicationFactor int    `yaml:"replicationFactor"`
	CommonConfig      string `yaml:"commonConfig"`
	ProducerConfig    string `yaml:"producerConfig"`
}

// Convert turns a workload of OpenMessaging Benchmark into one of kbench. driver
// is its driver file, or nil. What has no counterpart is said in comments.
func Convert(text, driver []byte) (string, error) {
	var o ombWorkload
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&o); err != nil {
		return "", fmt.Errorf("kbench: this is no workload of OpenMessaging Benchmark: %w", err)
	}
	if err := o.check(); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, note := range o.notes() {
		fmt.Fprintf(&b, "# %s\n", note)
	}
	line := func(key string, value any) { fmt.Fprintf(&b, "%s: %v\n", key, value) }
	if o.Name != "" {
		line("name", quoted(o.Name))
	}
	line("description", quoted("converted from OpenMessaging Benchmark"))
	topics := max(o.Topics, 1)
	line("partitions", topics*max(o.PartitionsPerTopic, 1))
	line("senders", topics*max(o.ProducersPerTopic, 1))
	line("record-size", o.MessageSize)
	if o.ProducerRate > 0 {
		line("rate", int64(o.ProducerRate))
	} else {
		line("rate", "max")
	}
	line("duration", seconds(o.TestDurationMinutes))
	warmup := 1.0 // OpenMessaging Benchmark's default
	if o.WarmupDurationMinutes != nil {
		warmup = *o.WarmupDurationMinutes
	}
	line("warmup", seconds(warmup))
	line("keys", o.keys())
	line("compressibility", o.compressibility())
	if err := convertDriver(&b, driver); err != nil {
		return "", err
	}
	return b.String(), nil
}

// check refuses what can not be meant.
func (o *ombWorkload) check() error {
	switch {
	case o.MessageSize <= 0:
		return errors.New("kbench: messageSize is missing: is this a workload of OpenMessaging Benchmark?")
	case o.TestDurationMinutes <= 0:
		return errors.New("kbench: testDurationMinutes is missing, and kbench needs an end")
	case o.Topics < 0 || o.PartitionsPerTopic < 0 || o.ProducersPerTopic < 0 || o.ProducerRate < 0:
		return errors.New("kbench: topics, partitionsPerTopic, producersPerTopic and producerRate can not be negative")
	}
	return nil
}

// notes are what the conversion loses or changes.
func (o *ombWorkload) notes() []string {
	var notes []string
	if o.Topics > 1 {
		notes = append(notes, fmt.Sprintf("%d topics of %d partitions became one topic: kbench run sends to one.", o.Topics, max(o.PartitionsPerTopic, 1)))
	}
	if o.ProducerRate == 0 {
		notes = append(notes, "producerRate 0 looks for the highest rate: kbench ramp does that, with a limit on latency.")
	}
	if o.SubscriptionsPerTopic > 0 || o.ConsumerPerSubscription > 0 || o.ConsumerBacklogSizeGB > 0 {
		notes = append(notes, "Consumers were left out: kbench measures producers, and reads records back after the run.")
	}
	if o.ProducersPerTopic > 1 || o.Topics > 1 {
		notes = append(notes, "Producers became goroutines that share one client, as Go programs do.")
	}
	if o.PayloadFile != "" && !o.UseRandomizedPayloads {
		notes = append(notes, fmt.Sprintf("payloadFile %q was left out: values are made by kbench, see compressibility.", o.PayloadFile))
	}
	if strings.HasPrefix(o.KeyDistributor, "KEY") || strings.HasPrefix(o.KeyDistributor, "RANDOM") {
		notes = append(notes, o.KeyDistributor+" has 10,000 keys of 7 characters; kbench's are of 16.")
	}
	return notes
}

// keys is the counterpart of keyDistributor.
func (o *ombWorkload) keys() string {
	switch o.KeyDistributor {
	case "KEY_ROUND_ROBIN", "RANDOM_NANO":
		return "uniform:10k"
	}
	return "none"
}

// compressibility is the share of bytes that repeat. A payload file is not
// looked at: it counts as incompressible.
func (o *ombWorkload) compressibility() float64 {
	if !o.UseRandomizedPayloads || o.RandomBytesRatio == nil {
		return 0
	}
	return min(1, max(0, 1-*o.RandomBytesRatio))
}

// convertDriver adds the producer's properties.
func convertDriver(b *strings.Builder, text []byte) error {
	if text == nil {
		return nil
	}
	var d ombDriver
	if err := yaml.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("kbench: the driver file: %w", err)
	}
	if d.ReplicationFactor > 0 {
		fmt.Fprintf(b, "replication: %d\n", d.ReplicationFactor)
	}
	props, err := kring.ReadProperties(strings.NewReader(d.CommonConfig + "\n" + d.ProducerConfig))
	if err != nil {
		return fmt.Errorf("kbench: the driver's producerConfig: %w", err)
	}
	if brokers := props["bootstrap.servers"]; brokers != "" {
		fmt.Fprintf(b, "brokers: %s\n", quoted(brokers))
		delete(props, "bootstrap.servers")
	}
	if len(props) > 0 {
		b.WriteString("property:\n")
	}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		fmt.Fprintf(b, "  %s: %s\n", name, quoted(props[name]))
	}
	return nil
}

// seconds writes minutes, of which kbench's durations know halves.
func seconds(minutes float64) string { return fmt.Sprintf("%gs", minutes*60) }

// quoted is text that YAML reads as a string, whatever it contains.
func quoted(s string) string { return fmt.Sprintf("%q", s) }
