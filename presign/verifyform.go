package presign

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/scope/object"
)

// promise is what a form's policy has to hold the client to.
type promise struct {
	ref      object.Ref
	fields   []header
	min, max int64
}

// verifyForm looks at the policy that was signed, and returns when it ends. Its
// conditions must be those that were promised, in any order, and no other: one
// for the bucket, one for the size, and one for each field that the client is
// told to send, with its value. A field without a condition S3 refuses by itself.
//
// It reads the text as encoding/json writes it; to parse any other would cost as
// much as to sign it. Should the SDK write in another way, there are no forms
// rather than loose ones.
func verifyForm(f *s3.PresignedPostRequest, want promise, c aws.Credentials, expires time.Duration) (time.Time, error) {
	bad := func(format string, args ...any) (time.Time, error) {
		return time.Time{}, fmt.Errorf("%w: %s", ErrUnsigned, fmt.Sprintf(format, args...))
	}
	decoded, err := base64.StdEncoding.DecodeString(f.Values["policy"])
	if err != nil {
		return bad("the policy is not base64")
	}
	policy := string(decoded)
	begin, err := time.Parse(amzDate, f.Values["X-Amz-Date"])
	switch {
	case err != nil:
		return bad("X-Amz-Date %q", f.Values["X-Amz-Date"])
	case !strings.HasPrefix(f.Values["X-Amz-Credential"], c.AccessKeyID+"/") || f.Values["X-Amz-Security-Token"] != c.SessionToken:
		return bad("other credentials than those that were fetched")
	case f.Values["key"] != want.ref.Key():
		return bad("key %q", f.Values["key"])
	}
	for _, p := range want.fields {
		if f.Values[p.name] != p.value {
			return bad("field %s", p.name)
		}
	}

	conditions, ok := strings.CutPrefix(policy, `{"conditions":[`)
	conditions, ok2 := strings.CutSuffix(conditions, `],"expiration":"`+begin.Add(expires).Format(time.RFC3339)+`"}`)
	if !ok || !ok2 {
		return bad("the policy does not end at %v", begin.Add(expires))
	}
	length := `["content-length-range",` + strconv.FormatInt(want.min, 10) + "," + strconv.FormatInt(want.max, 10) + "]"
	seen := make([]string, 0, 16)
	for rest := conditions; rest != ""; {
		var name string
		if rest, ok = strings.CutPrefix(rest, length); ok {
			name = "content-length-range"
		} else if name, rest, ok = cutCondition(rest, f.Values, want.ref.Bucket()); !ok {
			return bad("condition %.80s", rest)
		}
		if slices.Contains(seen, name) {
			return bad("condition on %s twice", name)
		}
		seen = append(seen, name)
		if rest, ok = strings.CutPrefix(rest, ","); !ok && rest != "" {
			return bad("the policy does not parse")
		}
	}
	// The bucket and the range are no fields, the policy and its signature have no condition.
	if len(seen) != len(f.Values) {
		return bad("the policy has %d conditions, want %d", len(seen), len(f.Values))
	}
	return until(begin, expires, c), nil
}

// cutCondition cuts {"name":"value"} from the front of a policy's conditions,
// if it is one for the bucket or for a field with the value that is sent.
func cutCondition(s string, fields map[string]string, bucket string) (name, rest string, ok bool) {
	rest, ok = strings.CutPrefix(s, `{"`)
	name, rest, ok2 := strings.Cut(rest, `":`)
	value, sent := fields[name]
	if name == "bucket" {
		value, sent = bucket, true
	}
	if !ok || !ok2 || !sent || name == "policy" || name == "X-Amz-Signature" {
		return "", s, false
	}
	if rest, ok = cutQuoted(rest, value); !ok {
		return "", s, false
	}
	rest, ok = strings.CutPrefix(rest, "}")
	return name, rest, ok
}

// cutQuoted cuts value from the front of s, as encoding/json writes it.
func cutQuoted(s, value string) (rest string, ok bool) {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			v, err := json.Marshal(value) // it escapes some of these
			if err != nil {
				return s, false
			}
			return strings.CutPrefix(s, string(v))
		}
	}
	if rest, ok = strings.CutPrefix(s, `"`); !ok {
		return s, false
	}
	if rest, ok = strings.CutPrefix(rest, value); !ok {
		return s, false
	}
	return strings.CutPrefix(rest, `"`)
}
