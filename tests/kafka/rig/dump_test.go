package rig

import (
	"strings"
	"testing"
)

const (
	dumpHead  = "Dumping /data/t-0/00000000000000000000.log\nLog starting offset: 0\n"
	dumpBatch = "baseOffset: 0 lastOffset: 1 count: 2 baseSequence: 0 lastSequence: 1 producerId: 7 producerEpoch: 0 " +
		"partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 " +
		"CreateTime: 1 size: 80 magic: 2 compresscodec: none crc: 1 isvalid: "
	dumpTail = " CreateTime: 1 keySize: -1 valueSize: 0 sequence: 0 headerKeys: []\n"
	record0  = "| offset: 0" + dumpTail
	record1  = "| offset: 1" + dumpTail
	second   = "Dumping /data/t-0/00000000000000000002.log\n"
)

// TestScanDumpFindsComplaints holds the reader of DumpLogSegments' output to
// everything that the tool may say about a damaged file.
func TestScanDumpFindsComplaints(t *testing.T) {
	good := dumpHead + dumpBatch + "true\n" + record0 + record1
	tests := []struct {
		name    string
		out     string
		want    Dumped
		wantErr string
	}{
		{"clean", good, Dumped{Segments: 1, Batches: 1, Records: 2}, ""},
		{"empty segment", dumpHead, Dumped{Segments: 1}, ""},
		{"wrong checksum", dumpHead + dumpBatch + "false\n", Dumped{}, "isvalid: false"},
		{"torn end", good + "Found 61 invalid bytes at the end of 00000000000000000000.log\n", Dumped{}, "invalid bytes"},
		{"fewer records than the batch counts", dumpHead + dumpBatch + "true\n" + record0, Dumped{}, "batches that count 2"},
		{"second segment", good + second, Dumped{Segments: 2, Batches: 1, Records: 2}, ""},
		{"other partition", good + "Dumping /data/t-1/00000000000000000000.log\n", Dumped{Segments: 2, Batches: 1, Records: 2}, ""},
		{"segment missing", good + strings.Replace(second, "2.log", "9.log", 1), Dumped{}, "begins at offset 9, want 2"},
		{"offset missing", dumpHead + dumpBatch + "true\n" + record1, Dumped{}, "want offset 0"},
		{"words that nobody foresaw", good + "Something is odd\n", Dumped{}, "Something is odd"},
		{"batch without a count", dumpHead + "baseOffset: 0 isvalid: true\n", Dumped{}, "without a count"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := scanDump(strings.NewReader(tc.out))
			if tc.wantErr == "" && (err != nil || got != tc.want) {
				t.Errorf("scanDump = %+v, %v, want %+v", got, err, tc.want)
			}
			if tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)) {
				t.Errorf("scanDump = %v, want an error with %q", err, tc.wantErr)
			}
		})
	}
}

func TestFoldComplaints(t *testing.T) {
	const of = "Non-consecutive offsets in /data/t-8/00000000000000279515.log\n"
	tests := []struct{ name, in, want string }{
		{"none", "", ""},
		{"the tool's own mistake", of + "  -1 is followed by 279515\n", ""},
		{"the first record is missing", of + "  -1 is followed by 279516\n", "-1 is followed by 279516"},
		{"a gap", of + "  -1 is followed by 279515\n  279515 is followed by 279517\n", "279515 is followed by 279517"},
		{"an index", "Mismatches in :/data/t-0/0.index\n  Index offset: 1, log offset: 2\n", "Index offset: 1"},
		{"a stack trace", "Exception in thread main\n", "Exception"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := foldComplaints(tc.in)
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("foldComplaints = %q, want %q", got, tc.want)
			}
		})
	}
}
