package backend

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/carrel-go/carrel/presign/presigntest"
)

const answerLimit = 15 * time.Second

// Backend has clients of the servers of one kind. It is safe for concurrent use.
type Backend struct {
	Kind     Kind
	DynamoDB *dynamodb.Client // nil if the kind does not include DynamoDB
	S3       *s3.Client       // nil if the kind does not include S3

	close func() error
}

// Open returns the backend that CARREL_BACKEND names, after each of its servers
// has answered a request. It reads variables with getenv, for example
// [os.Getenv]. It starts the embedded S3, for which the program must call
// presigntest.Main. It starts LocalStack in a container if no variable names its
// endpoint. The caller must close the backend.
func Open(ctx context.Context, getenv func(string) string) (*Backend, error) {
	kind, err := parseKind(getenv(Variable))
	if err != nil {
		return nil, err
	}
	if kind == Embedded {
		return openEmbedded(ctx)
	}
	b := &Backend{Kind: kind, close: func() error { return nil }}
	dynamoDB, objects := kind.defaultEndpoints()
	if kind == LocalStack && cmp.Or(getenv("AWS_ENDPOINT_URL"), getenv("AWS_ENDPOINT_URL_DYNAMODB"),
		getenv("AWS_ENDPOINT_URL_S3")) == "" {
		var endpoint string
		if endpoint, b.close, err = startLocalStack(ctx, getenv); err != nil {
			return nil, err
		}
		dynamoDB, objects = endpoint, endpoint
	}
	// If the environment does not have credentials, use those that LocalStack checks presigned URLs against.
	config := aws.Config{
		HTTPClient: httpClient(),
		Region:     cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), presigntest.Region),
		Credentials: credentials.NewStaticCredentialsProvider(
			cmp.Or(getenv("AWS_ACCESS_KEY_ID"), "test"), cmp.Or(getenv("AWS_SECRET_ACCESS_KEY"),
				"test"), getenv("AWS_SESSION_TOKEN")),
	}
	at := func(variable, otherwise string) aws.Config {
		c := config.Copy()
		if kind == Endpoint || kind == LocalStack || otherwise != "" {
			otherwise = cmp.Or(getenv(variable), getenv("AWS_ENDPOINT_URL"), otherwise)
		}
		if otherwise != "" {
			c.BaseEndpoint = aws.String(otherwise)
		}
		return c
	}
	if c := at("AWS_ENDPOINT_URL_DYNAMODB", dynamoDB); c.BaseEndpoint != nil {
		b.DynamoDB = dynamodb.NewFromConfig(c)
	}
	if c := at("AWS_ENDPOINT_URL_S3", objects); c.BaseEndpoint != nil {
		b.S3 = s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	}
	if b.DynamoDB == nil && b.S3 == nil {
		return nil, fmt.Errorf("backend: %s=%s requires AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL_S3",
			Variable, kind)
	}
	if err := b.checkServers(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("backend: %s=%s does not answer: %w", Variable, kind, err), b.close())
	}
	return b, nil
}

// checkServers returns an error unless each server answers a request in time.
func (b *Backend) checkServers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if b.DynamoDB != nil {
		if _, err := b.DynamoDB.ListTables(ctx, nil); err != nil {
			return err
		}
	}
	if b.S3 != nil {
		if _, err := b.S3.ListBuckets(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// openEmbedded starts the embedded S3.
func openEmbedded(ctx context.Context) (*Backend, error) {
	dir, err := os.MkdirTemp("", "carrel-integration-")
	if err != nil {
		return nil, fmt.Errorf("backend: %w", err)
	}
	server, err := presigntest.Start(ctx, filepath.Join(dir, "s3"), nil)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	o := server.Client().Options()
	o.HTTPClient, o.ExpressCredentials = httpClient(), nil
	return &Backend{
		Kind:  Embedded,
		S3:    s3.New(o),
		close: func() error { return errors.Join(server.Close(), os.RemoveAll(dir)) },
	}, nil
}

// Close stops the servers that [Open] has started.
func (b *Backend) Close() error { return b.close() }

// NotRun describes which tests this backend skips because a server is missing,
// or returns "".
func (b *Backend) NotRun() string {
	var missing []string
	if b.DynamoDB == nil {
		missing = append(missing, "DynamoDB")
	}
	if b.S3 == nil {
		missing = append(missing, "S3")
	}
	if missing == nil {
		return ""
	}
	return fmt.Sprintf("%s=%s does not include %s: skipping its tests", Variable, b.Kind, strings.Join(missing, " or "))
}

// NewBucket creates a bucket with a unique name.
func (b *Backend) NewBucket(ctx context.Context) (string, error) {
	name := newName()
	return name, presigntest.EnsureBucket(ctx, b.S3, name)
}

// newName returns a unique name, valid for a bucket and for a table.
func newName() string { return "carrel-" + strings.ToLower(rand.Text()) }
