package presign

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
// It compares the text, piece by piece, as encoding/json writes it; to parse
// the policy would cost as much as to sign it. A piece has quotes that are not
// escaped, so it can't be a part of some value. Should the SDK write in
// another way, there are no forms rather than loose ones.
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

	frame := `{"conditions":[],"expiration":"` + begin.Add(expires).Format(time.RFC3339) + `"}`
	head, tail := frame[:len(`{"conditions":[`)], frame[len(`{"conditions":[`):]
	if !strings.HasPrefix(policy, head) || !strings.HasSuffix(policy, tail) {
		return bad("the policy does not end at %v", begin.Add(expires))
	}
	length := len(frame) - len(",") // each piece brings one, but the first
	missing := ""
	look := func(piece string) {
		length += len(piece) + len(",")
		if !strings.Contains(policy, piece) {
			missing = piece
		}
	}
	look(`["content-length-range",` + strconv.FormatInt(want.min, 10) + "," + strconv.FormatInt(want.max, 10) + "]")
	look(condition("bucket", want.ref.Bucket()))
	for name, value := range f.Values {
		if name != "policy" && name != "X-Amz-Signature" {
			look(condition(name, value))
		}
	}
	if missing != "" {
		return bad("no condition %s", missing)
	}
	if len(policy) != length {
		return bad("the policy has conditions that were not asked for")
	}
	return until(begin, expires, c), nil
}

func condition(name, value string) string {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			v, err := json.Marshal(value) // it writes some of them in another way
			if err != nil {
				return "" // which no policy lacks; the length tells
			}
			return `{"` + name + `":` + string(v) + `}`
		}
	}
	return `{"` + name + `":"` + value + `"}`
}
