package presign_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/presign"
	"github.com/carrel-go/carrel/scope/object"
)

const ownerHeader = "X-Amz-Expected-Bucket-Owner"

// S3 reads the owner from a header and ignores it in the query.
func TestBucketOwnerIsSigned(t *testing.T) {
	t.Parallel()
	plain := signer(t, client(&vault{}), nil)
	owned := signer(t, client(&vault{}), &presign.Options{BucketOwner: "123456789012"})
	digests := plan
	digests.Digests = true
	for name, grant := range map[string]func(*presign.Signer) (presign.Grant, error){
		"put": func(s *presign.Signer) (presign.Grant, error) {
			return s.Put(t.Context(), session(t), "a.jpg", &presign.PutOptions{Type: "image/jpeg", Size: 5, SHA256: sum[:]})
		},
		"put, unsized": func(s *presign.Signer) (presign.Grant, error) {
			return s.Put(t.Context(), session(t), "a.jpg", &presign.PutOptions{AllowUnsized: true})
		},
		"part": func(s *presign.Signer) (presign.Grant, error) { return s.Part(t.Context(), session(t), plan, 1, nil) },
		"part, digest": func(s *presign.Signer) (presign.Grant, error) {
			return s.Part(t.Context(), session(t), digests, 1, &presign.PartOptions{SHA256: sum[:]})
		},
	} {
		want, err := grant(plain)
		require.NoError(t, err, name)
		require.Empty(t, want.Headers[ownerHeader], name)
		got, err := grant(owned)
		require.NoError(t, err, name)
		require.Equal(t, "123456789012", got.Headers[ownerHeader], name)
		delete(got.Headers, ownerHeader)
		require.Equal(t, want.Headers, got.Headers, name)
		u, err := url.Parse(got.URL)
		require.NoError(t, err)
		require.Contains(t, u.Query().Get("X-Amz-SignedHeaders"), "x-amz-expected-bucket-owner", name)
		require.NotContains(t, u.Query(), "x-amz-expected-bucket-owner", name)
	}
	// A link can't send a header, so a download is granted without it.
	g, err := owned.Get(t.Context(), stored(t, "a.jpg", ""), nil)
	require.NoError(t, err)
	require.Empty(t, g.Headers)
	require.NotContains(t, g.URL, "owner")
}

func TestBucketOwnerIsSentWithMultipart(t *testing.T) {
	t.Parallel()
	w := &wire{status: 200, answer: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"}
	s := overWireWith(t, w, &presign.Options{BucketOwner: "123456789012"})
	m, err := s.CreateMultipart(t.Context(), session(t), "a.jpg", &presign.MultipartOptions{Type: "image/jpeg", Size: 1})
	require.NoError(t, err)
	require.Equal(t, "123456789012", w.request.Header.Get(ownerHeader))
	w.answer = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
	require.NoError(t, s.Complete(t.Context(), session(t), m, []presign.Part{{ETag: `"e"`}}))
	require.Equal(t, http.MethodPost, w.request.Method)
	require.Equal(t, "123456789012", w.request.Header.Get(ownerHeader))
	w.status, w.answer = 204, ""
	require.NoError(t, s.Abort(t.Context(), session(t), m))
	require.Equal(t, http.MethodDelete, w.request.Method)
	require.Equal(t, "123456789012", w.request.Header.Get(ownerHeader))
}

func TestInvalidBucketOwnersAreRejected(t *testing.T) {
	t.Parallel()
	c := s3.New(s3.Options{Region: "eu-central-1", Credentials: aws.AnonymousCredentials{}})
	for _, id := range []string{"1", "1234567890123", "12345678901a", "*", " 23456789012"} {
		_, err := presign.New(c, must.Get(object.New(object.NewMemory(), "carrel-landing", nil)), &presign.Options{BucketOwner: id})
		require.ErrorIs(t, err, presign.ErrInvalid, id)
	}
}
