package lock

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope"
	carrel "github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

// bucketFor returns a bucket. It uses the credentials of one scope for all scopes.
func bucketFor(t *testing.T, name string, c aws.CredentialsProvider) *carrel.Bucket {
	t.Helper()
	b, err := s3object.Open(s3Client(c), name, nil)
	require.NoError(t, err)
	return b
}

func rootCredentials() aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(access, secret, "")
}

// fillBuckets puts a file into both buckets of every scope that has files.
func fillBuckets(t *testing.T, name string) {
	t.Helper()
	for _, bucket := range []string{landing, raw} {
		b := bucketFor(t, bucket, rootCredentials())
		for _, s := range fileScopes() {
			putFile(t, b, s, name, nil)
		}
	}
}

func putFile(t *testing.T, b *carrel.Bucket, s scope.Scope, name string, o *carrel.PutOptions) {
	t.Helper()
	root, ref := openFile(t, b, s, name)
	_, _, err := root.Put(t.Context(), ref, strings.NewReader("of "+s.String()), o)
	require.NoError(t, err)
}

func openFile(t *testing.T, b *carrel.Bucket, s scope.Scope, name string) (*carrel.Root, carrel.Ref) {
	t.Helper()
	root, err := b.In(s)
	require.NoError(t, err)
	ref, err := root.Ref(name)
	require.NoError(t, err)
	return root, ref
}

// fileScopes returns the scopes that have files: all except tenants.
func fileScopes() []scope.Scope {
	var out []scope.Scope
	for _, s := range allScopes() {
		if s.Level() != scope.TenantLevel {
			out = append(out, s)
		}
	}
	return out
}

// requireAccess requires success if the scope of the credentials contains the
// target, otherwise ErrDenied.
func requireAccess(t *testing.T, err error, holder, target scope.Scope, what string) {
	t.Helper()
	if holder.Contains(target) {
		require.NoError(t, err, "%s: credentials of %v, at %v", what, holder, target)
		return
	}
	require.ErrorIs(t, err, carrel.ErrDenied, "%s: credentials of %v, at %v", what, holder, target)
}

func readFile(ctx context.Context, root *carrel.Root, ref carrel.Ref) (string, error) {
	body, _, err := root.Open(ctx, ref, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	return string(b), err
}

func sendGrant(t *testing.T, g presign.Grant, body []byte) int {
	t.Helper()
	return doGrant(t, g, body).StatusCode
}

func doGrant(t *testing.T, g presign.Grant, body []byte) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), g.Method, g.URL, bytes.NewReader(body))
	require.NoError(t, err)
	for name, value := range g.Headers {
		req.Header.Set(name, value)
	}
	return doRequest(t, req)
}

func postForm(t *testing.T, f presign.Form, body []byte) int {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range f.Fields {
		require.NoError(t, w.WriteField(name, value))
	}
	part, err := w.CreateFormFile("file", "x")
	require.NoError(t, err)
	_, err = part.Write(body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL, &b)
	require.NoError(t, err)
	req.Header.Set("Content-Type", w.FormDataContentType())
	return doRequest(t, req).StatusCode
}

func doRequest(t *testing.T, req *http.Request) *http.Response {
	t.Helper()
	res, err := world.id.client.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	require.NoError(t, err)
	return res
}
