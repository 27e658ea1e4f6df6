package presign

import (
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"
)

// A form is granted only if its policy is exactly the requested one. Each case
// changes the text that the SDK writes.
func TestFormsWithALoosePolicyAreRejected(t *testing.T) {
	t.Parallel()
	ref := landingRef(t)
	creds := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET"}
	want := formPolicy{ref: ref, fields: []header{{"Content-Type", "image/jpeg"}}, min: 1, max: 10}
	policy := `{"conditions":[{"X-Amz-Algorithm":"AWS4-HMAC-SHA256"},{"bucket":"landing"},` +
		`{"X-Amz-Credential":"AKID/20000101/us-east-1/s3/aws4_request"},{"X-Amz-Date":"20000101T000000Z"},` +
		`["content-length-range",1,10],{"Content-Type":"image/jpeg"},{"key":"` + ref.Key() + `"}],"expiration":"2000-01-01T00:15:00Z"}`
	fields := map[string]string{
		"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": "AKID/20000101/us-east-1/s3/aws4_request",
		"X-Amz-Date": "20000101T000000Z", "X-Amz-Signature": "00", "key": ref.Key(), "Content-Type": "image/jpeg",
	}
	look := func(policy string, change func(map[string]string)) error {
		f := maps.Clone(fields)
		f["policy"] = base64.StdEncoding.EncodeToString([]byte(policy))
		change(f)
		_, err := verifyForm(&s3.PresignedPostRequest{Values: f}, want, creds, 15*time.Minute)
		return err
	}
	require.NoError(t, look(policy, func(map[string]string) {}))

	for what, edit := range map[string][2]string{
		"no bucket":           {`{"bucket":"landing"},`, ``},
		"another bucket":      {`"landing"`, `"raw"`},
		"a prefix of the key": {`{"key":"` + ref.Key() + `"}`, `["starts-with","$key","tenant="]`},
		"another key":         {`a.jpg`, `b.jpg`},
		"no range":            {`["content-length-range",1,10],`, ``},
		"a wider range":       {`,1,10]`, `,1,100]`},
		"no type":             {`{"Content-Type":"image/jpeg"},`, ``},
		"any type":            {`{"Content-Type":"image/jpeg"}`, `["starts-with","$Content-Type",""]`},
		"one condition more":  {`{"bucket":"landing"},`, `{"bucket":"landing"},{"acl":"public-read"},`},
		"any field":           {`{"bucket":"landing"},`, `{"bucket":"landing"},["starts-with","$x-amz-meta-a",""],`},
		"a longer life":       {`00:15:00Z"}`, `00:16:00Z"}`},
		"twice the same":      {`{"bucket":"landing"},`, `{"bucket":"landing"},{"bucket":"landing"},`},
		"no comma between":    {`{"bucket":"landing"},`, `{"bucket":"landing"}`},
		"a comma at the end":  {`],"expiration"`, `,],"expiration"`},
		"more at the end":     {`],"expiration"`, `{}],"expiration"`},
		"in the text alone":   {`{"bucket":"landing"},`, `{"x":"{\"bucket\":\"landing\"}"},`},
	} {
		require.Contains(t, policy, edit[0], what)
		require.ErrorIs(t, look(strings.Replace(policy, edit[0], edit[1], 1), func(map[string]string) {}), errUnsigned, what)
	}
	for what, change := range map[string]func(map[string]string){
		"not base64":          func(f map[string]string) { f["policy"] = "{" },
		"another field":       func(f map[string]string) { f["acl"] = "public-read" },
		"another key":         func(f map[string]string) { f["key"] += "x" },
		"another type":        func(f map[string]string) { f["Content-Type"] = "text/html" },
		"another credential":  func(f map[string]string) { f["X-Amz-Credential"] = "OTHER/20000101/us-east-1/s3/aws4_request" },
		"a token from nobody": func(f map[string]string) { f["X-Amz-Security-Token"] = "x" },
		"no date":             func(f map[string]string) { delete(f, "X-Amz-Date") },
	} {
		require.ErrorIs(t, look(policy, change), errUnsigned, what)
	}
	// Policy and fields agree with each other, and differ from the request.
	for what, edit := range map[string][2]string{
		"another key":         {ref.Key(), ref.Key() + "x"},
		"a key that ends so":  {ref.Key(), "x" + ref.Key()},
		"another credential":  {"AKID/", "OTHER/"},
		"a longer credential": {"AKID/", "AKID0/"},
	} {
		require.Contains(t, policy, edit[0], what)
		require.ErrorIs(t, look(strings.Replace(policy, edit[0], edit[1], 1), func(f map[string]string) {
			for name := range fields {
				f[name] = strings.Replace(f[name], edit[0], edit[1], 1)
			}
		}), errUnsigned, what)
	}
	nobody := strings.Replace(policy, `{"bucket"`, `{"X-Amz-Security-Token":"x"},{"bucket"`, 1)
	require.ErrorIs(t, look(nobody, func(f map[string]string) { f["X-Amz-Security-Token"] = "x" }), errUnsigned)
}
