package presign

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const amzDate = "20060102T150405Z"

// verify looks at what was really signed, and returns when it ends. Each of
// want must be a signed header with that value; the key, the credentials and
// the expiry must be those that were asked for.
func verify(r *v4.PresignedHTTPRequest, want http.Header, key string, c aws.Credentials, expires time.Duration) (time.Time, error) {
	bad := func(format string, args ...any) (time.Time, error) {
		return time.Time{}, fmt.Errorf("%w: %s", ErrUnsigned, fmt.Sprintf(format, args...))
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return bad("the URL does not parse")
	}
	q := u.Query()
	signed := strings.Split(q.Get("X-Amz-SignedHeaders"), ";")
	if !slices.Contains(signed, "host") {
		return bad("header host")
	}
	for name := range want {
		if !slices.Contains(signed, strings.ToLower(name)) || !slices.Equal(r.SignedHeader.Values(name), want.Values(name)) {
			return bad("header %s", strings.ToLower(name))
		}
	}
	for _, name := range signed { // what the client is not told it can't send
		if name != "host" && len(r.SignedHeader.Values(name)) == 0 {
			return bad("header %s is signed and has no value", name)
		}
	}
	begin, err := time.Parse(amzDate, q.Get("X-Amz-Date"))
	switch {
	case err != nil:
		return bad("X-Amz-Date %q", q.Get("X-Amz-Date"))
	case r.Method != http.MethodPut:
		return bad("method %s", r.Method)
	case !strings.HasSuffix(u.Path, "/"+key):
		return bad("path %q for key %q", u.Path, key)
	case q.Get("X-Amz-Expires") != strconv.FormatInt(int64(expires/time.Second), 10):
		return bad("X-Amz-Expires %q for %v", q.Get("X-Amz-Expires"), expires)
	case !strings.HasPrefix(q.Get("X-Amz-Credential"), c.AccessKeyID+"/") || q.Get("X-Amz-Security-Token") != c.SessionToken:
		return bad("other credentials than those that were fetched")
	}
	until := begin.Add(expires)
	if c.CanExpire && c.Expires.Before(until) {
		until = c.Expires.UTC()
	}
	return until, nil
}
