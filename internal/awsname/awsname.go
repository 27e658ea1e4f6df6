// Package awsname checks names of AWS resources.
package awsname

import (
	"fmt"
	"net/netip"
	"strings"
)

// CheckAccount accepts the id of an account, 12 digits.
func CheckAccount(id string) error {
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return fmt.Errorf("account id %.80q: must be 12 digits", id)
	}
	return nil
}

// CheckBucket accepts the names of general purpose buckets
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
// It rejects ARNs, aliases of access points, directory and table buckets, which
// the SDK sends to another host or signs with other credentials, and the
// reserved prefixes "xn--" and "sthree-".
func CheckBucket(name string) error {
	invalid := func(reason string) error { return fmt.Errorf("bucket name %.80q: %s", name, reason) }
	if len(name) < 3 || len(name) > 63 {
		return invalid("must have 3 to 63 characters")
	}
	for i := range len(name) {
		c := name[i]
		alphanumeric := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !alphanumeric && c != '-' && c != '.' {
			return invalid("must only have a-z, 0-9, hyphens and dots")
		}
		if !alphanumeric && (i == 0 || i == len(name)-1) {
			return invalid("must begin and end with a letter or digit")
		}
	}
	if strings.Contains(name, "..") {
		return invalid("must not have two dots in a row")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return invalid("must not be an IP address")
	}
	for _, p := range []string{"xn--", "sthree-"} {
		if strings.HasPrefix(name, p) {
			return invalid("must not begin with a reserved prefix")
		}
	}
	for _, s := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, s) {
			return invalid("must not be an access point, a directory bucket or a table bucket")
		}
	}
	return nil
}
