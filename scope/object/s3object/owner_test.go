package s3object_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

// Each request says whose bucket it expects, also those that look into a refusal.
func TestBucketOwnerOnTheWire(t *testing.T) {
	t.Parallel()
	ok := func() http.HandlerFunc { return text(http.StatusOK, "x", "ETag", `"e"`, "Content-Length", "1") }
	o := &s3object.Options{BucketOwner: "123456789012", ConditionalCopy: true}
	root, ref, w := setup(t, o,
		ok(), ok(), ok(), // put, stat, open
		answer(http.StatusForbidden, "AccessDenied"), listing(), // a stat that is denied, and the list that explains it
		listing(),                                                                                    // list
		ok(), text(http.StatusOK, "<CopyObjectResult><ETag>&quot;c&quot;</ETag></CopyObjectResult>"), // copy
		ok(), answer(http.StatusPreconditionFailed, "PreconditionFailed"), ok(), // a copy that finds the name taken
		answer(http.StatusNoContent, ""), // delete
	)
	ctx := t.Context()
	pinned, _, err := root.Put(ctx, ref, strings.NewReader("x"), nil)
	require.NoError(t, err)
	_, _, err = root.Stat(ctx, ref)
	require.NoError(t, err)
	body, _, err := root.Open(ctx, ref, nil)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	_, _, err = root.Stat(ctx, ref)
	require.ErrorIs(t, err, object.ErrNotFound)
	for _, err := range root.List(ctx) {
		require.NoError(t, err)
	}
	to, err := root.Ref("copy.txt")
	require.NoError(t, err)
	_, _, err = root.Copy(ctx, pinned, to, nil)
	require.NoError(t, err)
	_, _, err = root.Copy(ctx, pinned, to, nil)
	require.ErrorIs(t, err, object.ErrExists)
	require.NoError(t, root.Delete(ctx, ref))

	require.Empty(t, w.answers)
	for i, h := range w.header {
		require.Equal(t, "123456789012", h.Get("X-Amz-Expected-Bucket-Owner"), w.seen[i])
		if h.Get("X-Amz-Copy-Source") != "" {
			require.Equal(t, "123456789012", h.Get("X-Amz-Source-Expected-Bucket-Owner"))
		}
	}
}

func TestInvalidBucketOwnersAreRejected(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"1", "1234567890123", "12345678901a", "*", " 23456789012"} {
		_, err := s3object.New(nil, "landing", &s3object.Options{BucketOwner: id})
		require.ErrorIs(t, err, object.ErrInvalid, id)
		require.ErrorContains(t, err, "12 digits", id)
	}
}
