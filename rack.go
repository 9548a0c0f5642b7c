package kring

// preferRack takes the partitions out of available whose leader is in another
// rack than this process, unless that leaves none (KIP-1123). It is called under
// metadata.mu.
func (p *Producer) preferRack(parts []*partition, available []bool) {
	pl := &p.cfg.pipeline
	if !pl.rackAware {
		return
	}
	near := make([]bool, len(parts))
	found := false
	for i, q := range parts {
		near[i] = available[i] && p.meta.racks[q.leader.Load().id] == pl.rack
		found = found || near[i]
	}
	if found {
		copy(available, near)
	}
}
