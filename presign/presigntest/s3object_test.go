package presigntest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object/objecttest"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

func TestS3ObjectConforms(t *testing.T) {
	t.Parallel()
	c, bucket := newBucket(t)
	d, err := s3object.New(c, bucket, nil)
	require.NoError(t, err)
	objecttest.Test(t, d, bucket, nil)
}
