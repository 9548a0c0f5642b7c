package netio

import (
	"strings"
	"testing"
)

func TestMisuse(t *testing.T) {
	eachSocket(t, func(t *testing.T, kind socketKind) {
		cases := []struct {
			name string
			want string
			do   func(c *Conn)
		}{
			{"begin twice", "CanSend is false", func(c *Conn) { c.Begin(); c.Begin() }},
			{"send without begin", "without Begin", func(c *Conn) { c.Send(1, true, 0) }},
			{"empty request", "empty request", func(c *Conn) { c.Begin(); c.Append(nil); c.Send(1, true, 0) }},
		}
		for _, tc := range cases {
			t.Run(tc.name, func(t *testing.T) {
				d, _ := pair(t, kind)
				d.do(func(c *Conn) {
					defer func() {
						if got, _ := recover().(string); !strings.Contains(got, tc.want) {
							t.Errorf("panic %q, want one about %q", got, tc.want)
						}
					}()
					tc.do(c)
				})
			})
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{Handler: &driver{}, Notify: func() {}, MaxInFlight: 5, MaxFrame: 1 << 20}
	cases := []struct {
		name  string
		spoil func(*Config)
		want  string
	}{
		{"no handler", func(c *Config) { c.Handler = nil }, "Handler"},
		{"no notify", func(c *Config) { c.Notify = nil }, "Notify"},
		{"gate of none", func(c *Config) { c.MaxInFlight = 0 }, "MaxInFlight is 0"},
		{"gate too wide", func(c *Config) { c.MaxInFlight = 65 }, "MaxInFlight is 65"},
		{"no frame fits", func(c *Config) { c.MaxFrame = 3 }, "MaxFrame is 3"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			cfg := good
			tc.spoil(&cfg)
			nc, _ := tcpPair(t)
			defer nc.Close()
			c, err := NewConn(nc, cfg)
			if err == nil || c != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("NewConn = %v, %v, want an error about %q", c, err, tc.want)
			}
		})
	}
}
