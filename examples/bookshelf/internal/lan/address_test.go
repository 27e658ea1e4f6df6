package lan

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheAddressIsOfANetworkWithOtherDevices(t *testing.T) {
	t.Parallel()
	at := func(ip, name string) candidate {
		return candidate{ip: netip.MustParseAddr(ip), network: name, isVirtual: hasVirtualName(name)}
	}
	docker, bridge, vpn := at("172.17.0.1", "docker0"), at("172.18.0.1", "br-0a1b2c3d4e5f"), at("10.8.0.2", "tun0")
	wired, wireless := at("192.168.1.5", "enp3s0"), at("192.168.1.6", "wlan0")
	route := func(c candidate) candidate { c.isRoute = true; return c }
	for name, c := range map[string]struct {
		list []candidate
		want string
	}{
		"a bridge of containers comes first":   {[]candidate{docker, bridge, wireless}, "192.168.1.6"},
		"a private network has the way out":    {[]candidate{route(vpn), docker, wired}, "192.168.1.5"},
		"the way out is the second network":    {[]candidate{docker, wired, route(wireless)}, "192.168.1.6"},
		"a container has one real interface":   {[]candidate{at("172.17.0.2", "eth0")}, "172.17.0.2"},
		"none":                                 {nil, ""},
		"only networks within this machine":    {[]candidate{docker, bridge}, ""},
		"only a private network over another":  {[]candidate{route(vpn)}, ""},
		"a bridge on macOS, and its interface": {[]candidate{at("192.168.64.1", "bridge100"), at("10.0.0.3", "en0")}, "10.0.0.3"},
	} {
		list := slices.Clone(c.list)
		slices.SortStableFunc(list, compareCandidates)
		got, err := choose(list)
		if c.want == "" {
			require.ErrorIs(t, err, errNoAddress, name)
			require.ErrorContains(t, err, "name the address with -addr", name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.want, got.String(), name)
	}
	_, err := choose([]candidate{docker})
	require.ErrorContains(t, err, "172.17.0.1 belongs to docker0")
}

func TestOtherAddressesAreListed(t *testing.T) {
	t.Parallel()
	list, err := listCandidates()
	require.NoError(t, err)
	if len(list) == 0 {
		t.Skip("this machine does not have an address of a local network")
	}
	require.Len(t, Others("203.0.113.1"), len(list))
	require.Len(t, Others(list[0].ip.String()), len(list)-1)
	require.Contains(t, Others("203.0.113.1")[0], list[0].network)
}
