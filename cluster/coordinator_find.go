package cluster

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// oldestFindCoordinator is the first version with a type. From
	// firstFindMany on, a request names several keys.
	oldestFindCoordinator = 1
	firstFindMany         = 4
	newestFindCoordinator = 6
)

// find asks any broker who the coordinator is, and returns its address. An
// error that trying again would not change is an answer.
func (k *Coordinator) find(ctx context.Context) (address string, err error) {
	err = k.c.pass(ctx, func(ctx context.Context, l *Link) error {
		if err = k.c.vouch(ctx, l); err == nil {
			address, err = k.askAddress(ctx, l)
		}
		return err
	})
	if err == nil {
		return address, nil
	}
	err = fmt.Errorf("finding %s: %w", k, err)
	if worthRetrying(err) || k.c.endOf(ctx) != nil {
		return "", err
	}
	return "", answer{err}
}

// askAddress is one request over l.
func (k *Coordinator) askAddress(ctx context.Context, l *Link) (string, error) {
	version, ok := l.Versions.Pick(keyFindCoordinator, oldestFindCoordinator, newestFindCoordinator)
	if !ok {
		return "", answer{l.Versions.unsupported("FindCoordinator", keyFindCoordinator, oldestFindCoordinator, newestFindCoordinator)}
	}
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.SetVersion(version)
	req.CoordinatorType = int8(k.typ)
	req.CoordinatorKey, req.CoordinatorKeys = k.key, []string{k.key}
	response, err := k.c.send(ctx, l, req)
	if err != nil {
		return "", err
	}
	message := response.(*kmsg.FindCoordinatorResponse)
	code, host, port := message.ErrorCode, message.Host, message.Port
	if version >= firstFindMany {
		if len(message.Coordinators) != 1 || message.Coordinators[0].Key != k.key {
			return "", &ProtocolError{Address: l.Address, Reason: fmt.Sprintf(
				"asked for one coordinator, it named %d", len(message.Coordinators))}
		}
		one := &message.Coordinators[0]
		code, host, port = one.ErrorCode, one.Host, one.Port
	}
	switch {
	case code != codeNone:
		return "", answer{&CodeError{Code: code, Context: "FindCoordinator of " + l.Address}}
	case !usableHost(host) || port < 1 || port > 1<<16-1:
		return "", &ProtocolError{Address: l.Address, Reason: fmt.Sprintf("it names a coordinator at %q, port %d", printable(host), port)}
	}
	return net.JoinHostPort(host, strconv.Itoa(int(port))), nil
}
