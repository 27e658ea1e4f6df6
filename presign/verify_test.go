package presign

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
)

func landingRef(t *testing.T) object.Ref {
	t.Helper()
	session, name, err := scope.ParseKey("tenant=acme/user=u1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/a.jpg")
	require.NoError(t, err)
	root, err := must.Get(object.New(object.NewMemory(), "landing", nil)).In(session)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	return ref
}

// A URL is granted only if exactly the promised headers and parameters are
// signed, each once, and the host.
func TestURLsAreVerified(t *testing.T) {
	t.Parallel()
	ref := landingRef(t)
	creds := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET", SessionToken: "TOKEN+/="}
	want := request{
		method: http.MethodPut, ref: ref, headers: []header{{"If-None-Match", "*"}, {"Content-Type", "image/jpeg"}},
		query: []header{{"partNumber", "1"}},
	}
	for name, c := range map[string]struct {
		change func(url.Values, *v4.PresignedHTTPRequest)
		valid  bool
	}{
		"unchanged": {func(url.Values, *v4.PresignedHTTPRequest) {}, true},
		"headers in any order": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-SignedHeaders", "if-none-match;host;content-type")
		}, true},
		"host not signed": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-SignedHeaders", "content-type;if-none-match")
		}, false},
		"host signed twice": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-SignedHeaders", "content-type;host;host;if-none-match")
		}, false},
		"host in place of one": {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Set("X-Amz-SignedHeaders", "content-type;host;host") }, false},
		"another in its place": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-SignedHeaders", "content-type;if-none-match;x-amz-acl")
		}, false},
		"a header twice": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-SignedHeaders", "content-type;content-type;host")
		}, false},
		"a header more": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-SignedHeaders", "content-type;host;if-none-match;x-amz-acl")
		}, false},
		"no headers":        {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Del("X-Amz-SignedHeaders") }, false},
		"another value":     {func(_ url.Values, r *v4.PresignedHTTPRequest) { r.SignedHeader.Set("Content-Type", "text/html") }, false},
		"two values":        {func(_ url.Values, r *v4.PresignedHTTPRequest) { r.SignedHeader.Add("Content-Type", "image/jpeg") }, false},
		"no value":          {func(_ url.Values, r *v4.PresignedHTTPRequest) { r.SignedHeader.Del("Content-Type") }, false},
		"a parameter twice": {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Add("partNumber", "1") }, false},
		"another parameter twice": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q["X-Amz-Date"] = append(q["X-Amz-Date"], q.Get("X-Amz-Date"))
		}, false},
		"no parameter":      {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Del("partNumber") }, false},
		"another parameter": {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Set("partNumber", "2") }, false},
		"no date":           {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Del("X-Amz-Date") }, false},
		"another expiry":    {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Set("X-Amz-Expires", "901") }, false},
		"another method":    {func(_ url.Values, r *v4.PresignedHTTPRequest) { r.Method = http.MethodGet }, false},
		"a longer access key": {func(q url.Values, _ *v4.PresignedHTTPRequest) {
			q.Set("X-Amz-Credential", "AKID0/20000101/x/s3/aws4_request")
		}, false},
		"another token": {func(q url.Values, _ *v4.PresignedHTTPRequest) { q.Set("X-Amz-Security-Token", "TOKEN+/") }, false},
	} {
		q := url.Values{
			"X-Amz-SignedHeaders": {"content-type;host;if-none-match"}, "X-Amz-Date": {"20000101T000000Z"}, "X-Amz-Expires": {"900"},
			"X-Amz-Credential": {"AKID/20000101/x/s3/aws4_request"}, "X-Amz-Security-Token": {"TOKEN+/="}, "partNumber": {"1"},
		}
		r := &v4.PresignedHTTPRequest{
			Method:       http.MethodPut,
			SignedHeader: http.Header{"Content-Type": {"image/jpeg"}, "If-None-Match": {"*"}, "Host": {"landing.example"}},
		}
		c.change(q, r)
		r.URL = (&url.URL{Scheme: "https", Host: "landing.example", Path: "/" + ref.Key(), RawQuery: q.Encode()}).String()
		end, err := verifyURL(r, want, creds, 15*time.Minute)
		if c.valid {
			require.NoError(t, err, name)
			require.Equal(t, time.Date(2000, 1, 1, 0, 15, 0, 0, time.UTC), end, name)
			continue
		}
		require.ErrorIs(t, err, errUnsigned, name)
	}
}
