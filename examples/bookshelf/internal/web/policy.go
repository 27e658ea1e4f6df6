package web

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// originHost matches a host name, an IPv4 address or a bracketed IPv6 address,
// with an optional port. It does not match wildcards or characters that end a
// source or a directive of a content security policy.
var originHost = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// contentPolicy returns the content security policy of the pages. They load
// everything from the server itself, and may also send requests to the origins
// in connect and load images from those in img. The last two directives prevent
// them from turning strings into script or markup.
//
// Source: https://www.w3.org/TR/CSP3/ and https://www.w3.org/TR/trusted-types/.
func contentPolicy(connect, img []string) (string, error) {
	for _, origin := range slices.Concat(connect, img) {
		if err := checkOrigin(origin); err != nil {
			return "", err
		}
	}
	return strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		strings.Join(append([]string{"img-src 'self' blob:"}, img...), " "),
		strings.Join(append([]string{"connect-src 'self'"}, connect...), " "),
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	}, "; "), nil
}

// checkOrigin accepts only scheme://host and scheme://host:port. A path, a
// wildcard or a separator would change the meaning of the policy.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil {
		return fmt.Errorf("%w: %q: %w", ErrOrigin, origin, err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || !originHost.MatchString(u.Host) || origin != u.Scheme+"://"+u.Host {
		return fmt.Errorf("%w: %q", ErrOrigin, origin)
	}
	return nil
}
