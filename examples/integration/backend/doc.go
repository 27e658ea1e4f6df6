// Package backend connects integration tests to the servers that the variable
// CARREL_BACKEND names.
//
//	b, err := backend.Open(ctx, os.Getenv)
//	defer b.Close()
//
// A [Backend] has a DynamoDB client, an S3 client, or both, depending on its
// [Kind]. A named server that does not answer is an error, so that tests fail
// instead of being skipped. [Backend.NotRun] describes which tests are skipped
// because their server was not named.
//
// The scripts in ../backends install and start servers and print their
// endpoints:
//
//	export AWS_ENDPOINT_URL_DYNAMODB=$(examples/integration/backends/dynoxide.sh up)
//	CARREL_BACKEND=dynoxide go test ./examples/integration/...
//
// If AWS_ENDPOINT_URL is set, it is LocalStack's endpoint. Otherwise LocalStack
// runs in a container, from the image that CARREL_LOCALSTACK_IMAGE names, with
// the variables of testcontainers.
//
// The package does not start other servers, and does not delete the buckets
// and tables on them. Their names are unique.
package backend
