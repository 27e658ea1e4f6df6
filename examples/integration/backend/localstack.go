package backend

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/localstack"
	"github.com/testcontainers/testcontainers-go/wait"
)

// ImageVariable is the environment variable that names LocalStack's image.
const ImageVariable = "CARREL_LOCALSTACK_IMAGE"

const (
	localStackImage = "localstack/localstack:4.14.0" // the last version that does not require an account
	localStackStart = 5 * time.Minute                // from the start of the container to its first answer
)

// localStackSettings starts only the needed services, in memory, with checked
// signatures of presigned URLs.
var localStackSettings = map[string]string{
	"SERVICES": "s3,sqs,dynamodb,sts,iam,cloudformation", "STRICT_SERVICE_LOADING": "1", "EAGER_SERVICE_LOADING": "1",
	"S3_SKIP_SIGNATURE_VALIDATION": "0", "DYNAMODB_IN_MEMORY": "1", "DISABLE_EVENTS": "1",
}

// startLocalStack runs LocalStack in a container, with the engine that
// testcontainers finds. It returns the endpoint and a function that stops the
// container. Without an engine, it returns an error that names the alternatives.
func startLocalStack(ctx context.Context, getenv func(string) string) (endpoint string, end func() error, err error) {
	if err := checkEngine(ctx); err != nil {
		return "", nil, fmt.Errorf("backend: %s=%s: set AWS_ENDPOINT_URL to a running LocalStack "+
			"(backends/localstack-host.sh up starts it and prints its URL), "+
			"or start a container engine (backends/localstack-image.sh up does, and builds the image): %w",
			Variable, LocalStack, err)
	}
	image := cmp.Or(getenv(ImageVariable), localStackImage)
	c, err := localstack.Run(ctx, image, testcontainers.WithEnv(localStackSettings),
		testcontainers.WithWaitStrategyAndDeadline(localStackStart, waitForTables()))
	// It does not have data to save.
	end = func() error { return testcontainers.TerminateContainer(c, testcontainers.StopTimeout(0)) }
	if err == nil {
		endpoint, err = c.PortEndpoint(ctx, "4566/tcp", "http")
	}
	if err != nil {
		if c != nil {
			_ = end()
		}
		return "", nil, fmt.Errorf("backend: %s=%s: run %s (another image: %s): %w", Variable, LocalStack, image,
			ImageVariable, err)
	}
	return endpoint, end, nil
}

func checkEngine(ctx context.Context) error {
	p, err := testcontainers.NewDockerProvider()
	if err != nil {
		return err
	}
	return p.Health(ctx) // also closes p
}

// waitForTables waits until DynamoDB answers. LocalStack's health check is
// not enough: it reports DynamoDB as running even after a failed start.
func waitForTables() wait.Strategy {
	return wait.ForHTTP("/").WithPort("4566/tcp").WithMethod(http.MethodPost).WithBody(strings.NewReader("{}")).
		WithHeaders(map[string]string{
			"Content-Type": "application/x-amz-json-1.0",
			"X-Amz-Target": "DynamoDB_20120810.ListTables",
			"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, " +
				"Signature=00",
		}).WithStartupTimeout(localStackStart)
}
