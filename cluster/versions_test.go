package cluster

import (
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func versionsOf(entries ...[3]int16) Versions {
	keys := make([]kmsg.ApiVersionsResponseApiKey, len(entries))
	for i, e := range entries {
		keys[i].ApiKey, keys[i].MinVersion, keys[i].MaxVersion = e[0], e[1], e[2]
	}
	return newVersions("b:1", keys)
}

func TestVersionsPick(t *testing.T) {
	tests := []struct {
		name           string
		entries        [][3]int16
		lowest, newest int16
		want           int16
		ok             bool
	}{
		{"ours is newer", [][3]int16{{5, 0, 7}}, 0, 9, 7, true},
		{"theirs is newer", [][3]int16{{5, 0, 12}}, 0, 9, 9, true},
		{"one in common", [][3]int16{{5, 9, 12}}, 0, 9, 9, true},
		{"theirs is too old", [][3]int16{{5, 0, 2}}, 3, 9, 0, false},
		{"theirs is too new", [][3]int16{{5, 10, 12}}, 3, 9, 0, false},
		{"absent", [][3]int16{{6, 0, 9}}, 0, 9, 0, false},
		{"empty table", nil, 0, 9, 0, false},
		{"min above max", [][3]int16{{5, 9, 3}}, 0, 9, 0, false},
		{"negative max", [][3]int16{{5, -3, -1}}, 0, 9, 0, false},
		{"negative min", [][3]int16{{5, -3, 4}}, 0, 9, 4, true},
		{"first of two", [][3]int16{{5, 0, 3}, {5, 0, 8}}, 0, 9, 3, true},
		{"first that makes sense", [][3]int16{{5, 4, 3}, {5, 0, 8}}, 0, 9, 8, true},
		{"version 0 only", [][3]int16{{5, 0, 0}}, 0, 9, 0, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			v := versionsOf(tc.entries...)
			if got, ok := v.Pick(5, tc.lowest, tc.newest); got != tc.want || ok != tc.ok {
				t.Errorf("Pick = %d, %v; want %d, %v", got, ok, tc.want, tc.ok)
			}
		})
	}
	t.Run("keys out of range", func(t *testing.T) {
		v := versionsOf([3]int16{-1, 0, 9}, [3]int16{keyLimit, 0, 9}, [3]int16{32767, 0, 9})
		for _, key := range []int16{-32768, -1, keyLimit, 32767} {
			if _, ok := v.Pick(key, 0, 9); ok {
				t.Errorf("Pick(%d) found a version", key)
			}
		}
	})
}

func TestVersionsProduce(t *testing.T) {
	tests := []struct {
		name              string
		produce, metadata [3]int16
		newest            int16
		want              int16
		err               string
	}{
		{name: "current", produce: [3]int16{0, 0, 13}, metadata: [3]int16{3, 0, 13}, newest: 13, want: 13},
		{name: "old Metadata has no ids", produce: [3]int16{0, 0, 13}, metadata: [3]int16{3, 0, 9}, newest: 13, want: 12},
		{name: "Metadata v10 has ids", produce: [3]int16{0, 0, 13}, metadata: [3]int16{3, 0, 10}, newest: 13, want: 13},
		{name: "old broker", produce: [3]int16{0, 0, 5}, metadata: [3]int16{3, 0, 5}, newest: 13, want: 5},
		{name: "baseline", produce: [3]int16{0, 0, 3}, metadata: [3]int16{3, 0, 5}, newest: 13, want: 3},
		{name: "below the baseline", produce: [3]int16{0, 0, 2}, metadata: [3]int16{3, 0, 5}, newest: 13, err: "offers v0 to v2"},
		{name: "no Produce", produce: [3]int16{9, 0, 2}, metadata: [3]int16{3, 0, 5}, newest: 13, err: "not offer it at all"},
		{name: "only with ids it cannot tell", produce: [3]int16{0, 13, 14}, metadata: [3]int16{3, 0, 9}, newest: 13, err: "newer client"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			v := versionsOf(tc.produce, tc.metadata)
			got, err := v.Produce(tc.newest)
			if tc.err == "" {
				if err != nil || got != tc.want {
					t.Errorf("Produce = %d, %v; want %d", got, err, tc.want)
				}
				return
			}
			if fault := (*VersionError)(nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("Produce error = %v, want a VersionError that says %q", err, tc.err)
			}
		})
	}
}
