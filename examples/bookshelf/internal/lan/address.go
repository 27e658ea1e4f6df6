package lan

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

var errNoAddress = errors.New("this machine does not have an address of a local network: connect it, " +
	"or name the address with -addr")

// Address returns the address, with a port, to listen on. If host is a loopback address, it is an address of this
// machine on a local network: see [Others]. Otherwise host itself must be private.
func Address(host, port string) (string, error) {
	if !IsLoopback(host) {
		if ip, err := netip.ParseAddr(host); err != nil || !isLocal(ip) {
			return "", fmt.Errorf("invalid host %q: must be an address of a local network, for example 192.168.1.5", host)
		}
		return net.JoinHostPort(host, port), nil
	}
	list, err := listCandidates()
	if err != nil {
		return "", err
	}
	ip, err := choose(list)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(ip.String(), port), nil
}

// IsLoopback reports whether a host is this machine for itself only.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Others describes the addresses of this machine on local networks that [Address] does not choose, for example
// "10.0.0.7 (wlan0)". They include those of networks that only exist on this machine, which come last.
func Others(host string) []string {
	list, err := listCandidates()
	if err != nil {
		return nil // the address is known to work without them
	}
	var out []string
	for _, c := range list {
		if c.ip.String() != host {
			out = append(out, fmt.Sprintf("%s (%s)", c.ip, c.network))
		}
	}
	return out
}

// candidate is an address of this machine on a local network.
type candidate struct {
	ip        netip.Addr
	network   string // the name of its interface
	isVirtual bool   // other devices are not in that network
	isRoute   bool   // with it, the machine reaches other networks
}

// listCandidates returns the private IPv4 addresses of this machine, the best one first.
func listCandidates() ([]candidate, error) {
	route := findRoute()
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var list []candidate
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addresses, err := i.Addrs()
		if err != nil {
			return nil, err
		}
		for _, a := range addresses {
			prefix, err := netip.ParsePrefix(a.String())
			if err != nil || !prefix.Addr().Is4() || !isLocal(prefix.Addr()) {
				continue
			}
			isVirtual := i.Flags&net.FlagPointToPoint != 0 || hasVirtualName(i.Name)
			list = append(list, candidate{prefix.Addr(), i.Name, isVirtual, prefix.Addr() == route})
		}
	}
	slices.SortStableFunc(list, compareCandidates)
	return list, nil
}

// compareCandidates orders real networks before virtual ones, and the one with the way to other networks first.
func compareCandidates(a, b candidate) int {
	rank := func(c candidate) int {
		switch {
		case c.isVirtual:
			return 2
		case c.isRoute:
			return 0
		}
		return 1
	}
	return cmp.Compare(rank(a), rank(b))
}

// choose returns the best of the candidates. It returns an error if devices of a local network reach none of them.
func choose(list []candidate) (netip.Addr, error) {
	if len(list) == 0 {
		return netip.Addr{}, errNoAddress
	}
	if best := list[0]; best.isVirtual {
		return netip.Addr{}, fmt.Errorf("%w: %s belongs to %s, a network that other devices do not reach",
			errNoAddress, best.ip, best.network)
	}
	return list[0].ip, nil
}

// findRoute returns the address with which this machine reaches other networks, or the zero Addr.
func findRoute() netip.Addr {
	c, err := net.Dial("udp4", "192.0.2.1:9") //nolint:noctx // nothing is looked up or sent
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
}

// virtualNames begin the names of interfaces to containers, virtual machines and private networks over the Internet.
var virtualNames = []string{
	"docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "flannel", "cali", "lxc", "lxdbr", "podman",
	"tun", "tap", "utun", "wg", "tailscale", "zt", "bridge1", "vEthernet",
}

func hasVirtualName(name string) bool {
	return slices.ContainsFunc(virtualNames, func(start string) bool { return strings.HasPrefix(name, start) })
}

// isLocal reports whether ip is private (RFC 1918, RFC 4193).
func isLocal(ip netip.Addr) bool { return ip.IsPrivate() && ip.Zone() == "" }
