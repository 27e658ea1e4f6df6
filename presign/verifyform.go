package presign

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope/object"
)

// formPolicy is the policy that a form must have.
type formPolicy struct {
	ref      object.Ref
	fields   []header
	min, max int64
}

// verifyForm inspects the signed policy and returns when it expires. Its
// conditions must be exactly those for the bucket, the size and each field that
// the client sends, in any order.
//
// It compares the text that encoding/json writes. If a version of the SDK writes
// a policy differently, Post fails instead of granting a loose form.
func verifyForm(f *s3.PresignedPostRequest, want formPolicy, c aws.Credentials, expires time.Duration) (time.Time, error) {
	text, err := base64.StdEncoding.DecodeString(f.Values["policy"])
	if err != nil {
		return time.Time{}, unsignedf("policy is not base64")
	}
	begin, err := time.Parse(amzDate, f.Values["X-Amz-Date"])
	switch {
	case err != nil:
		return time.Time{}, unsignedf("invalid X-Amz-Date %q", f.Values["X-Amz-Date"])
	case !strings.HasPrefix(f.Values["X-Amz-Credential"], c.AccessKeyID+"/") || f.Values["X-Amz-Security-Token"] != c.SessionToken:
		return time.Time{}, unsignedf("credentials differ from the fetched ones")
	case f.Values["key"] != want.ref.Key():
		return time.Time{}, unsignedf("key %q, want %q", f.Values["key"], want.ref.Key())
	}
	for _, p := range want.fields {
		if f.Values[p.name] != p.value {
			return time.Time{}, unsignedf("field %s is missing or differs", p.name)
		}
	}
	end := begin.Add(expires).Format(time.RFC3339)
	rest, ok := strings.CutPrefix(string(text), `{"conditions":[`)
	rest, ok2 := strings.CutSuffix(rest, `],"expiration":"`+end+`"}`)
	if !ok || !ok2 {
		return time.Time{}, unsignedf("policy is malformed or does not expire at %s", end)
	}
	wanted := want.conditions(f.Values)
	for len(wanted) > 0 {
		i := slices.IndexFunc(wanted, func(condition string) bool { return strings.HasPrefix(rest, condition) })
		if i < 0 {
			return time.Time{}, unsignedf("condition %.80q is missing, unknown or repeated", rest)
		}
		rest = rest[len(wanted[i]):]
		wanted = slices.Delete(wanted, i, i+1)
		if rest, ok = strings.CutPrefix(rest, ","); ok != (len(wanted) > 0) {
			return time.Time{}, unsignedf("policy has an unexpected number of conditions")
		}
	}
	if rest != "" {
		return time.Time{}, unsignedf("policy is malformed")
	}
	return expiryOf(begin, expires, c), nil
}

// conditions returns the conditions of a policy for these fields, as
// encoding/json writes them. The policy and its signature do not need one.
func (p formPolicy) conditions(fields map[string]string) []string {
	all := make([]string, 0, len(fields)+2)
	all = append(all, `["content-length-range",`+strconv.FormatInt(p.min, 10)+","+strconv.FormatInt(p.max, 10)+"]",
		`{"bucket":`+quoteJSON(p.ref.Bucket())+"}")
	for name, value := range fields {
		if name != "policy" && name != "X-Amz-Signature" {
			all = append(all, "{"+quoteJSON(name)+":"+quoteJSON(value)+"}")
		}
	}
	return all
}

func quoteJSON(s string) string {
	text, _ := json.Marshal(s) // can't fail for a string
	return string(text)
}
