package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/kring-go/kring/bench"
)

// payload is what values consist of: bytes of kbench's own, or a file's.
func (c *runCmd) payload(cfg *bench.Config) error {
	if c.PayloadFile != "" {
		var errs []error
		for _, other := range []struct {
			flag  string
			given bool
		}{{"record-size", c.RecordSize != nil}, {"payload", c.Payload != ""}, {"compressibility", c.Compress != 0}} {
			if other.given {
				errs = append(errs, fmt.Errorf("--%s contradicts --payload-file: its values are as they are", other.flag))
			}
		}
		cfg.Compressibility = 0 // It was told.
		return errors.Join(append(errs, payloadFile(cfg, c.PayloadFile, c.PayloadDelim))...)
	}
	if c.PayloadDelim != nil {
		return errors.New("--payload-delimiter needs a --payload-file")
	}
	cfg.Payload = cmp.Or(c.Payload, bench.PayloadRandom)
	size := "100"
	if c.RecordSize != nil {
		size = *c.RecordSize
	}
	var err error
	if cfg.Sizes, err = bench.ParseSizes(size); err != nil {
		return fmt.Errorf("--record-size: %w", err)
	}
	return nil
}

// payloadFile reads the values of a file.
func payloadFile(cfg *bench.Config, path string, delimiter *string) error {
	between := ""
	if delimiter != nil {
		if between = *delimiter; between == "" {
			return errors.New("--payload-delimiter is empty: leave it out for lines")
		}
	}
	f, err := bench.LoadPayloadFile(path, between)
	if err != nil {
		return err
	}
	cfg.Payload, cfg.PayloadFile, cfg.Sizes = bench.PayloadOfFile, f, f.Sizes()
	return nil
}

// payload is one of three, as in Kafka's tool.
func (c *perfTestCmd) payload(cfg *bench.Config) error {
	var err error
	size := "8" // of what --payload-monotonic takes the place of
	switch {
	case c.RecordSize != nil && c.PayloadFile != "", c.PayloadMonotonic && (c.RecordSize != nil || c.PayloadFile != ""),
		c.RecordSize == nil && c.PayloadFile == "" && !c.PayloadMonotonic:
		return errors.New("give one of --record-size, --payload-file and --payload-monotonic")
	case c.PayloadFile != "":
		return payloadFile(cfg, c.PayloadFile, c.PayloadDelimiter)
	case c.PayloadDelimiter != nil:
		return errors.New("--payload-delimiter needs a --payload-file")
	}
	if c.RecordSize != nil {
		size = fmt.Sprint(*c.RecordSize)
	}
	if cfg.Sizes, err = bench.ParseSizes(size); err != nil {
		return fmt.Errorf("--record-size: %w", err)
	}
	return nil
}

// mergePayload takes from a workload's file what contradicts the payload of the
// command line.
func (c *runCmd) mergePayload(fromFile map[string]bool) {
	made := c.RecordSize != nil && !fromFile["record-size"] || c.Payload != "" && !fromFile["payload"] ||
		c.Compress != 0 && !fromFile["compressibility"]
	switch {
	case c.PayloadFile == "":
	case !fromFile["payload-file"]:
		if fromFile["record-size"] {
			c.RecordSize = nil
		}
		if fromFile["payload"] {
			c.Payload = ""
		}
		if fromFile["compressibility"] {
			c.Compress = 0
		}
	case made:
		c.PayloadFile = ""
		if fromFile["payload-delimiter"] {
			c.PayloadDelim = nil
		}
	}
}
