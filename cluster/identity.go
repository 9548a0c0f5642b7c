package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// identity is which cluster a client belongs to. An address may pass to another
// cluster (a recycled IP, a name server that is wrong), and records must not.
// So every connection is asked for the id of its cluster, once one is known.
//
//	Config.ClusterID, or the first metadata ────────► want
//	control link, Connect: vouch ─► check ─► another id: the address has failed
//	every bootstrap address is of one other ────────► accept, unless pinned
//
// A broker that tells no id passes.
type identity struct {
	log    *slog.Logger
	off    bool
	pinned bool // want is the user's

	mu   sync.Mutex
	want string            // empty: not known yet
	told map[string]string // the wrong id that was logged, by address
}

// init follows Java in that what was learnt binds nobody who can not learn anew.
func (i *identity) init(cfg *Config) {
	i.log, i.want, i.pinned = cfg.Logger, cfg.ClusterID, cfg.ClusterID != ""
	i.off = cfg.NoClusterCheck || cfg.NoRebootstrap && !i.pinned
	i.told = make(map[string]string)
}

// WrongClusterError reports a broker of another cluster than that which the
// client belongs to.
type WrongClusterError struct {
	Address   string
	Got, Want string
	Pinned    bool // Want was configured; otherwise a broker has told it
}

func (e *WrongClusterError) Error() string { return e.Address + " " + e.what() + "; " + e.advice() }

func (e *WrongClusterError) what() string {
	return fmt.Sprintf("belongs to cluster %q, and this client to cluster %q", e.Got, e.Want)
}

func (e *WrongClusterError) advice() string {
	if e.Pinned {
		return "check what the address leads to now, or the configured cluster id"
	}
	return "check what the address leads to now: it may have passed to another cluster; " +
		"if the cluster was built anew, have all bootstrap addresses lead to it, or start this client again"
}

// check compares the id that a broker has told. The first one counts.
func (i *identity) check(address string, told *string) error {
	if i.off || told == nil || *told == "" {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.want == "" {
		i.want = *told
	}
	if i.want == *told {
		delete(i.told, address)
		return nil
	}
	err := &WrongClusterError{Address: address, Got: *told, Want: i.want, Pinned: i.pinned}
	if i.told[address] != *told {
		i.told[address] = *told
		i.log.Error("kring: an address leads to another cluster; nothing is sent there",
			"address", address, "cluster", err.Got, "want", err.Want, "advice", err.advice())
	}
	return err
}

// known says that there is an id to compare with.
func (i *identity) known() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return !i.off && i.want != ""
}

// accept takes id for the cluster's from now on.
func (i *identity) accept(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.log.Warn("kring: every bootstrap address leads to another cluster; it is taken for the successor of the one before",
		"cluster", id, "before", i.want)
	i.want = id
	clear(i.told)
}

// vouch asks a new connection for the id of its cluster, unless it has told.
func (c *Client) vouch(ctx context.Context, l *Link) error {
	if l.vouched || !c.identity.known() {
		return nil
	}
	version, ok := l.Versions.Pick(keyMetadata, oldestMetadata, newestMetadata)
	if !ok {
		return l.Versions.unsupported("Metadata", keyMetadata, oldestMetadata, newestMetadata)
	}
	response, err := l.Request(ctx, metadataRequest(version, nil, false))
	if err != nil {
		return err
	}
	message := response.(*kmsg.MetadataResponse)
	if message.ErrorCode != codeNone {
		return &CodeError{Code: message.ErrorCode, Context: "Metadata of " + l.Address}
	}
	if err := c.identity.check(l.Address, message.ClusterID); err != nil {
		return err
	}
	l.vouched = true
	return nil
}

// succeededLocked looks at a pass that has failed, after the bootstrap list. If every bootstrap address
// was of one and the same other cluster, that is the cluster now, and they are
// tried again. One that can not be reached, or is of the cluster of before, is
// reason enough to wait: records in the wrong cluster are worse than late.
func (c *Client) succeededLocked(p *pass) bool {
	if p.succeeded || c.identity.pinned {
		return false
	}
	var id string
	for _, address := range c.nodes.bootstrap {
		wrong := (*WrongClusterError)(nil)
		for _, a := range p.attempts {
			if a.Address == address {
				wrong = nil
				errors.As(a.Err, &wrong)
			}
		}
		if wrong == nil || id != "" && wrong.Got != id {
			return false
		}
		id = wrong.Got
	}
	c.identity.accept(id)
	for _, address := range c.nodes.bootstrap {
		delete(p.tried, address)
		c.nodes.at(address).worked()
	}
	p.succeeded = true
	return true
}
