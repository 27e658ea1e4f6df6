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

	"github.com/carrel-go/carrel/internal/strictjson"
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
// It compares the text of each condition with that of encoding/json. If a version
// of the SDK writes them differently, Post fails instead of granting a loose form.
func verifyForm(f *s3.PresignedPostRequest, want formPolicy, c aws.Credentials,
	expires time.Duration) (time.Time, error) {
	text, err := base64.StdEncoding.DecodeString(f.Values["policy"])
	if err != nil {
		return time.Time{}, unsignedf("policy is not base64")
	}
	begin, err := time.Parse(amzDate, f.Values["X-Amz-Date"])
	switch {
	case err != nil:
		return time.Time{}, unsignedf("invalid X-Amz-Date %q", f.Values["X-Amz-Date"])
	case !strings.HasPrefix(f.Values["X-Amz-Credential"], c.AccessKeyID+"/") ||
		f.Values["X-Amz-Security-Token"] != c.SessionToken:
		return time.Time{}, unsignedf("credentials differ from the fetched ones")
	case f.Values["key"] != want.ref.Key():
		return time.Time{}, unsignedf("key %q, want %q", f.Values["key"], want.ref.Key())
	}
	for _, p := range want.fields {
		if f.Values[p.name] != p.value {
			return time.Time{}, unsignedf("field %s is missing or differs", p.name)
		}
	}
	policy, err := strictjson.ParseObject(text)
	if err != nil || policy.Len() != 2 {
		return time.Time{}, unsignedf("policy is malformed")
	}
	end := begin.Add(expires).Format(time.RFC3339)
	if expiration, ok := policy.Get("expiration"); !ok || expiration.Text() != end {
		return time.Time{}, unsignedf("policy does not expire at %s", end)
	}
	wanted := want.listConditions(f.Values)
	signed := make([]string, 0, len(wanted))
	if conditions, ok := policy.Get("conditions"); ok {
		for c := range conditions.Items() {
			signed = append(signed, string(c.Raw()))
		}
	}
	slices.Sort(signed)
	slices.Sort(wanted)
	if !slices.Equal(signed, wanted) {
		return time.Time{}, unsignedf("conditions %.500q, want %.500q", signed, wanted)
	}
	return expiryOf(begin, expires, c), nil
}

// listConditions returns the conditions of a policy for these fields, as
// encoding/json writes them. The policy and its signature do not need one.
func (p formPolicy) listConditions(fields map[string]string) []string {
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
