package presign

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const amzDate = "20060102T150405Z"

func unsignedf(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnsigned, fmt.Sprintf(format, args...))
}

// verifyURL inspects the signed URL and returns when it expires. Each of want's
// headers must be signed with its value, and beside them only the host; each of
// its parameters must be in the query. The method, key, credentials and expiry
// must be the requested ones.
func verifyURL(r *v4.PresignedHTTPRequest, want request, c aws.Credentials, expires time.Duration) (time.Time, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return time.Time{}, unsignedf("invalid URL")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return time.Time{}, unsignedf("invalid query")
	}
	for name, values := range query {
		if len(values) != 1 {
			return time.Time{}, unsignedf("parameter %s appears %d times", name, len(values))
		}
	}
	for _, p := range want.query {
		if query.Get(p.name) != p.value || !query.Has(p.name) {
			return time.Time{}, unsignedf("parameter %s is missing or differs", p.name)
		}
	}
	if err := verifyHeaders(query.Get("X-Amz-SignedHeaders"), r, want.headers); err != nil {
		return time.Time{}, err
	}
	begin, err := time.Parse(amzDate, query.Get("X-Amz-Date"))
	switch {
	case err != nil:
		return time.Time{}, unsignedf("invalid X-Amz-Date %q", query.Get("X-Amz-Date"))
	case r.Method != want.method:
		return time.Time{}, unsignedf("method %s, want %s", r.Method, want.method)
	case !strings.HasSuffix(u.Path, "/"+want.ref.Key()): // the endpoint decides how the path begins
		return time.Time{}, unsignedf("path %q, want one that ends in the key %q", u.Path, want.ref.Key())
	case query.Get("X-Amz-Expires") != strconv.FormatInt(int64(expires/time.Second), 10):
		return time.Time{}, unsignedf("X-Amz-Expires %q, want %v", query.Get("X-Amz-Expires"), expires)
	case !strings.HasPrefix(query.Get("X-Amz-Credential"), c.AccessKeyID+"/") ||
		query.Get("X-Amz-Security-Token") != c.SessionToken:
		return time.Time{}, unsignedf("credentials differ from the fetched ones")
	}
	return expiryOf(begin, expires, c), nil
}

// verifyHeaders checks that the signed headers are the host and the wanted ones,
// each exactly once and with its value. A client can't send others, since a grant
// does not tell it their values.
func verifyHeaders(signed string, r *v4.PresignedHTTPRequest, want []header) error {
	names := strings.Split(signed, ";")
	if len(names) != len(want)+1 {
		return unsignedf("signed headers %q, want %d", signed, len(want)+1)
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return unsignedf("header %s is signed twice", name)
		}
		seen[name] = true
	}
	if !seen["host"] {
		return unsignedf("header host is not signed")
	}
	for _, h := range want {
		if values := r.SignedHeader[h.name]; !seen[strings.ToLower(h.name)] || len(values) != 1 || values[0] != h.value {
			return unsignedf("header %s is not signed, or has another value", h.name)
		}
	}
	return nil
}

// expiryOf returns when a signature made at begin expires: no later than its
// credentials.
func expiryOf(begin time.Time, d time.Duration, c aws.Credentials) time.Time {
	end := begin.Add(d).UTC()
	if c.CanExpire && c.Expires.Before(end) {
		end = c.Expires.UTC()
	}
	return end
}
