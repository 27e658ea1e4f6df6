package lan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

var errNoAddress = errors.New("this machine does not have an address of a local network: connect it, " +
	"or name the address with -addr")

// Address returns the address, with a port, to listen on. If host is a loopback address, it is the address with which
// this machine reaches other networks, if it is private, or else any private one. Otherwise host itself must be
// private.
func Address(host, port string) (string, error) {
	if host != "localhost" {
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.IsLoopback() && !isLocal(ip) {
			return "", fmt.Errorf("invalid host %q: must be an address of a local network, for example 192.168.1.5", host)
		}
		if !ip.IsLoopback() {
			return net.JoinHostPort(host, port), nil
		}
	}
	ip, err := find()
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(ip.String(), port), nil
}

// find returns an address of this machine on a local network.
func find() (netip.Addr, error) {
	if c, err := net.Dial("udp4", "192.0.2.1:9"); err == nil { //nolint:noctx // nothing is looked up or sent
		local := c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
		_ = c.Close()
		if isLocal(local) {
			return local, nil
		}
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range list {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Is4() && isLocal(prefix.Addr()) {
			return prefix.Addr(), nil
		}
	}
	return netip.Addr{}, errNoAddress
}

// isLocal reports whether ip is private (RFC 1918, RFC 4193).
func isLocal(ip netip.Addr) bool { return ip.IsPrivate() && ip.Zone() == "" }
