package gateway_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/internal/gateway"
)

const (
	access = "123456789012" // like an account's id, since the gateway takes it for the owner of its buckets
	secret = "carrel-secret"
)

// Limits of the one gateway that a process can run.
const (
	maxObject = 6 << 20 // bytes
	maxConns  = 256
)

var (
	endpoint string
	inner    *http.Client // the gateway's own
)

func TestMain(m *testing.M) {
	if os.Getenv(lifeEnv) != "" {
		os.Exit(liveOnce())
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gateway-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	g, err := gateway.Start(context.Background(), filepath.Join(dir, "s3"), access, secret, &gateway.Options{Events: told.put, MaxObject: maxObject, MaxConns: maxConns})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	endpoint, inner = g.Endpoint(), g.Client()
	code := m.Run()
	if err := g.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func newClient(secretKey string) *s3.Client { return clientOf(endpoint, secretKey) }

func clientOf(endpoint, secretKey string) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(endpoint),
		UsePathStyle: true,
		Region:       gateway.Region,
		Credentials:  credentials.NewStaticCredentialsProvider(access, secretKey, ""),
	})
}

// newBucket makes a bucket of the test's own.
func newBucket(t *testing.T) (*s3.Client, string) {
	t.Helper()
	c, name := newClient(secret), "b-"+strings.ToLower(rand.Text())
	require.NoError(t, gateway.EnsureBucket(t.Context(), c, name))
	return c, name
}
