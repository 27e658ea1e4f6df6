package integration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/examples/integration/backend"
	"github.com/carrel-go/carrel/internal/must"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/objecttest"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

// needS3 skips a test if the backend does not include S3.
func needS3(t *testing.T) {
	t.Helper()
	if servers.S3 == nil {
		t.Skip(servers.NotRun())
	}
}

func newBucket(t *testing.T) (*object.Bucket, object.Driver, string) {
	t.Helper()
	needS3(t)
	name, err := servers.NewBucket(t.Context())
	require.NoError(t, err)
	d, err := s3object.New(servers.S3, name, nil)
	require.NoError(t, err)
	return must.Get(object.New(d, name, nil)), d, name
}

// knownObjectFailures maps the checks of the object suite that a server does not pass to the reason, like
// knownFailures.
var knownObjectFailures = map[backend.Kind]map[string]string{
	backend.LocalStack: {"pins": "answers 501 to a DELETE with If-Match"},
	backend.Moto: {
		"names":        "cuts a key at its semicolon",
		"version pins": "deletes the current object when another version is named",
	},
}

func TestObject(t *testing.T) {
	t.Parallel()
	_, d, name := newBucket(t)
	objecttest.Test(t, d, name, &objecttest.Options{KnownFailures: knownObjectFailures[servers.Kind]})
}
