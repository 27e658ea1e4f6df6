package s3object

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/carrel-go/carrel/scope/object"
)

// checkOwner accepts the id of an account, and an empty one.
func checkOwner(id string) error {
	if id != "" && (len(id) != 12 || strings.Trim(id, "0123456789") != "") {
		return fmt.Errorf("%w: bucket owner %.80q is not an account id of 12 digits", object.ErrInvalid, id)
	}
	return nil
}

// CheckBucket accepts the names of general purpose buckets
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)
// and refuses with [object.ErrInvalid] everything else: ARNs, aliases of access
// points, directory and table buckets, which the SDK sends to another host or
// signs with other credentials, and the reserved "xn--" and "sthree-".
func CheckBucket(name string) error {
	bad := func(why string) error {
		return fmt.Errorf("%w: bucket name %q %s", object.ErrInvalid, name, why)
	}
	if len(name) < 3 || len(name) > 63 {
		return bad("is not of 3 to 63 characters")
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '.' {
			return bad("has other characters than a-z, 0-9, hyphen and dot")
		}
		if !letter && (i == 0 || i == len(name)-1) {
			return bad("does not begin and end with a letter or digit")
		}
	}
	if strings.Contains(name, "..") {
		return bad("has two dots in a row")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return bad("is an IP address")
	}
	for _, p := range []string{"xn--", "sthree-"} {
		if strings.HasPrefix(name, p) {
			return bad("begins with a reserved prefix")
		}
	}
	for _, s := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, s) {
			return bad("is that of an access point, a directory bucket or a table bucket")
		}
	}
	return nil
}
