package presign_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sessions answers each request with credentials of a directory bucket, named after the access key that signed it.
type sessions struct{}

func (sessions) Do(r *http.Request) (*http.Response, error) {
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ = strings.Cut(key, "/")
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(
		"<CreateSessionResult><Credentials><AccessKeyId>" + key + "-session</AccessKeyId><SecretAccessKey>s</SecretAccessKey>" +
			"<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>"))}, nil
}

// s3.New stores the new client and its credentials in the provider for directory buckets. A signer whose client shares
// the provider with the host's client would change the credentials of the host's requests, and race with them.
func TestSignersLeaveTheClientUnchanged(t *testing.T) {
	t.Parallel()
	c := client(credentials.NewStaticCredentialsProvider("HOST", "secret", ""), func(o *s3.Options) { o.HTTPClient = sessions{} })
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { signer(t, c, nil) })
		wait.Go(func() {
			_, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("directory--use1-az4--x-s3"), Key: aws.String("key")})
			assert.NoError(t, err)
		})
	}
	wait.Wait()
	got, err := c.Options().ExpressCredentials.Retrieve(t.Context(), "another--use1-az4--x-s3")
	require.NoError(t, err)
	require.Equal(t, "HOST-session", got.AccessKeyID)
}
