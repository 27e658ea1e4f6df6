// Package backend gives integration tests the servers that the variable
// CARREL_BACKEND asks for.
//
//	b, err := backend.Open(ctx, os.Getenv)
//	defer b.Close()
//
// A [Backend] has a DynamoDB client, an S3 client, or both, as the servers of
// its [Kind] do. What was asked for and does not answer is an error, so that
// tests fail and are not skipped; [Backend.NotRun] says in one line what was not
// asked for.
//
// The scripts in ../backends install and start servers and print their
// endpoints:
//
//	export AWS_ENDPOINT_URL_DYNAMODB=$(examples/integration/backends/dynoxide.sh up)
//	CARREL_BACKEND=dynoxide go test ./examples/integration/...
//
// LocalStack is run in a container where a container engine answers, from the
// image that CARREL_LOCALSTACK_IMAGE names; the variables of testcontainers
// hold. Its endpoint in AWS_ENDPOINT_URL is used instead.
//
// What the package does not do: it starts no other server, and cleans up
// nothing on those, whose buckets and tables have fresh names.
package backend
