package bench

import (
	"testing"
	"time"
)

func TestParseCount(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want int64
		bad  bool
	}{
		{in: "500", want: 500},
		{in: "10k", want: 10_000},
		{in: "10M", want: 10_000_000},
		{in: "1.5M", want: 1_500_000},
		{in: "1_000", want: 1000},
		{in: "2G", want: 2_000_000_000},
		{in: "1Ki", want: 1024},
		{in: "", bad: true},
		{in: "M", bad: true},
		{in: "abc", bad: true},
		{in: "1.5", bad: true},
		{in: "-5", bad: true},
		{in: "10T", bad: true},
		{in: "1.2.3k", bad: true},
		{in: "99999999999G", bad: true},
	} {
		t.Run(tc.in, func(t *testing.T) {
			got, err := ParseCount(tc.in)
			if (err != nil) != tc.bad || got != tc.want {
				t.Errorf("ParseCount(%q) = %d, %v, want %d, error %v", tc.in, got, err, tc.want, tc.bad)
			}
		})
	}
}

func TestParseBytes(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "100": 100, "100B": 100, "1KiB": 1024, "1Ki": 1024, "1KB": 1000, "16k": 16000, "1.5MiB": 1572864, "2GiB": 2 << 30,
	} {
		t.Run(in, func(t *testing.T) {
			if got, err := ParseBytes(in); err != nil || got != want {
				t.Errorf("ParseBytes(%q) = %d, %v, want %d", in, got, err, want)
			}
		})
	}
	for _, in := range []string{"", "KiB", "1ZiB", "1.5", "-1"} {
		t.Run("bad "+in, func(t *testing.T) {
			if got, err := ParseBytes(in); err == nil {
				t.Errorf("ParseBytes(%q) = %d, want an error", in, got)
			}
		})
	}
}

func TestParseRate(t *testing.T) {
	for in, want := range map[string]int64{"max": 0, "": 0, "-1": 0, "200k/s": 200_000, "20000": 20_000, "1.5M/s": 1_500_000} {
		t.Run(in, func(t *testing.T) {
			if got, err := ParseRate(in); err != nil || got != want {
				t.Errorf("ParseRate(%q) = %d, %v, want %d", in, got, err, want)
			}
		})
	}
	for _, in := range []string{"0", "fast", "2G/s", "-2", "0/s"} {
		t.Run("bad "+in, func(t *testing.T) {
			if got, err := ParseRate(in); err == nil {
				t.Errorf("ParseRate(%q) = %d, want an error", in, got)
			}
		})
	}
}

func TestParseDurations(t *testing.T) {
	for _, tc := range []struct {
		in            string
		plain, millis time.Duration
	}{
		{"10", 10 * time.Second, 10 * time.Millisecond},
		{"0", 0, 0},
		{"1.5", 1500 * time.Millisecond, 1500 * time.Microsecond},
		{"500ms", 500 * time.Millisecond, 500 * time.Millisecond},
		{"2m", 2 * time.Minute, 2 * time.Minute},
	} {
		t.Run(tc.in, func(t *testing.T) {
			if got, err := ParseDuration(tc.in); err != nil || got != tc.plain {
				t.Errorf("ParseDuration = %v, %v, want %v", got, err, tc.plain)
			}
			if got, err := ParseMillis(tc.in); err != nil || got != tc.millis {
				t.Errorf("ParseMillis = %v, %v, want %v", got, err, tc.millis)
			}
		})
	}
	for _, in := range []string{"", "soon", "-1s", "1d", "NaN", "Inf"} {
		t.Run("bad "+in, func(t *testing.T) {
			if got, err := ParseDuration(in); err == nil {
				t.Errorf("ParseDuration(%q) = %v, want an error", in, got)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{formatCount(0), "0"},
		{formatCount(999), "999"},
		{formatCount(12_000_000), "12,000,000"},
		{formatCount(-1234), "-1,234"},
		{formatShort(999), "999"},
		{formatShort(200_000), "200.0k"},
		{formatShort(1_360_000), "1.36M"},
		{formatBytes(512), "512 B"},
		{formatBytes(16384), "16.0 KiB"},
		{formatNanos(118), "118ns"},
		{formatNanos(1400), "1.40µs"},
		{formatNanos(12_300_000), "12.3ms"},
		{formatNanos(123_400_000), "123ms"},
		{formatNanos(1_200_000_000), "1.20s"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}
