package presigntest_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/presign/presigntest"
)

// Options of the server that most tests share.
const (
	access    = "123456789012"
	secret    = "carrel-secret"
	maxObject = 6 << 20 // bytes
)

// hostVariable makes the test's binary another program, see TestServerEndsWithItsKilledParent.
const hostVariable = "PRESIGNTEST_HOST"

// shared is the server, and endpoint its address.
var (
	shared   *presigntest.Server
	endpoint string
)

func TestMain(m *testing.M) {
	if os.Getenv(hostVariable) == "without main" {
		os.Exit(hostWithoutMain())
	}
	presigntest.Main()
	if os.Getenv(hostVariable) != "" {
		os.Exit(host())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "presigntest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	shared, err = presigntest.Start(context.Background(), filepath.Join(dir, "s3"), &presigntest.Options{
		AccessKey: access, SecretKey: secret, Events: told.put, MaxObject: maxObject,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	endpoint = shared.Endpoint()
	code := m.Run()
	if err := shared.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// newClient returns a client that reaches the shared server over the network.
func newClient(secretKey string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(endpoint),
		UsePathStyle: true,
		Region:       presigntest.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(access, secretKey, ""),
	})
}

// newBucket makes a bucket of the test's own.
func newBucket(t *testing.T) (*s3.Client, string) {
	t.Helper()
	c, name := newClient(secret), "b-"+strings.ToLower(rand.Text())
	require.NoError(t, presigntest.EnsureBucket(t.Context(), c, name))
	return c, name
}
