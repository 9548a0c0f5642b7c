package runs

import (
	"fmt"

	"github.com/kring-go/kring/bench"
)

// mergeShards puts one run in place of its shards, where the first of them was.
func mergeShards(list []Run) ([]Run, error) {
	parts := map[bench.RunID][]*bench.Result{}
	for _, r := range list {
		if r.Result.Shard != nil {
			parts[r.Result.RunID] = append(parts[r.Result.RunID], r.Result)
		}
	}
	if len(parts) == 0 {
		return list, nil
	}
	var out []Run
	done := map[bench.RunID]bool{}
	for _, r := range list {
		id := r.Result.RunID
		switch {
		case r.Result.Shard == nil:
			out = append(out, r)
		case !done[id]:
			done[id] = true
			merged, err := bench.MergeShards(parts[id])
			if err != nil {
				return nil, fmt.Errorf("%w (%s)", err, r.Path)
			}
			out = append(out, Run{r.Path, merged})
		}
	}
	return out, nil
}
