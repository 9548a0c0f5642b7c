package cluster

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// maxHostLength bounds the host of an address; DNS allows 253 bytes, and a zone
// may follow an IPv6 address.
const maxHostLength = 255

// ParseBootstrap turns a bootstrap list into dialable addresses in the order
// given, without duplicates. An entry may hold several addresses, separated by
// commas, and may carry the prefix PLAINTEXT:// that brokers print. All faults
// are reported at once, each in the words of the list.
func ParseBootstrap(list []string) ([]string, error) {
	var addresses []string
	var faults []error
	seen := make(map[string]bool)
	for _, entry := range list {
		for text := range strings.SplitSeq(entry, ",") {
			text = strings.TrimSpace(text)
			if text == "" {
				continue
			}
			address, err := parseAddress(text)
			switch {
			case err != nil:
				faults = append(faults, fmt.Errorf("bootstrap address %q: %w", text, err))
			case !seen[address]:
				seen[address] = true
				addresses = append(addresses, address)
			}
		}
	}
	if len(faults) == 0 && len(addresses) == 0 {
		return nil, errors.New("the bootstrap list is empty: name at least one broker as host:port")
	}
	return addresses, errors.Join(faults...)
}

// parseAddress returns text as host:port with the host in lower case.
func parseAddress(text string) (string, error) {
	address := text
	if scheme, rest, found := strings.Cut(text, "://"); found {
		if !strings.EqualFold(scheme, "PLAINTEXT") {
			return "", fmt.Errorf("protocol %s is not supported, only PLAINTEXT is", scheme)
		}
		address = strings.TrimSuffix(rest, "/")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", addressFault(address)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 {
		return "", fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	if !usableHost(host) {
		return "", fmt.Errorf("%q is not a host name or IP address", host)
	}
	return net.JoinHostPort(strings.ToLower(host), strconv.FormatUint(number, 10)), nil
}

// addressFault says what net.SplitHostPort disliked, and how to write it.
func addressFault(address string) error {
	switch {
	case net.ParseIP(strings.Trim(address, "[]")) != nil && strings.Contains(address, ":"):
		return fmt.Errorf("the port is missing: write it as [%s]:9092", strings.Trim(address, "[]"))
	case strings.Count(address, ":") > 1 && !strings.HasPrefix(address, "["):
		return errors.New("an IPv6 address needs brackets: [::1]:9092")
	case !strings.Contains(address, ":"):
		return fmt.Errorf("the port is missing: write it as %s:9092", address)
	default:
		return errors.New("this is not host:port")
	}
}

// usableHost reports whether host can be dialled and shown. What it keeps out
// would reach resolvers and logs otherwise: brokers name hosts, too.
func usableHost(host string) bool {
	if host == "" || len(host) > maxHostLength {
		return false
	}
	for i := range len(host) {
		if c := host[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"'/\@?#[],<>`, c) >= 0 {
			return false
		}
	}
	return !strings.Contains(host, ":") || isIPv6(host)
}

func isIPv6(host string) bool {
	address, _, _ := strings.Cut(host, "%")
	return net.ParseIP(address) != nil
}
