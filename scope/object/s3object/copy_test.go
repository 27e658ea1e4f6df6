package s3object_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/carrel-go/carrel/scope"
	"github.com/carrel-go/carrel/scope/object"
	"github.com/carrel-go/carrel/scope/object/s3object"
)

var copied = text(http.StatusOK, `<CopyObjectResult><ETag>"n"</ETag><LastModified>2026-01-02T03:04:05.000Z</LastModified></CopyObjectResult>`, "X-Amz-Version-Id", "v2")

func TestCopyOnTheWire(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		o                      *object.PutOptions
		head                   http.HandlerFunc
		match, noneMatch, from string
		sourceMatch            string
	}{
		"write once": {nil, text(200, "", "Content-Length", "5", "ETag", `"e"`, "Content-Type", "text/plain"), "", "*", "", `"e"`},
		"replace":    {&object.PutOptions{IfMatch: `"o"`}, text(200, "", "Content-Length", "5", "ETag", `"e"`, "Content-Type", "text/plain"), `"o"`, "", "", `"e"`},
		"overwrite, of a version": {&object.PutOptions{Overwrite: true},
			text(200, "", "Content-Length", "5", "ETag", `"e"`, "Content-Type", "text/plain", "X-Amz-Version-Id", "v+1"), "", "", "?versionId=v%2B1", ""},
	} {
		root, from, w := setup(t, &s3object.Options{ConditionalCopy: true}, c.head, copied)
		to, err := root.Ref("to.txt")
		require.NoError(t, err)
		stored, info, err := root.Copy(t.Context(), from, to, c.o)
		require.NoError(t, err, what)
		require.Equal(t, "PUT /landing/"+prefix+"to.txt?x-id=CopyObject", w.seen[1], what)
		h := w.header[1]
		require.Equal(t, "landing/tenant%3Dacme/user%3Du1/uploads/0190b2d4-7c3a-7e51-9b7e-1f2a3c4d5e6f/a%20b%2B%C3%BC.txt"+c.from, h.Get("X-Amz-Copy-Source"), what)
		require.Equal(t, c.sourceMatch, h.Get("X-Amz-Copy-Source-If-Match"), what)
		require.Equal(t, c.match, h.Get("If-Match"), what)
		require.Equal(t, c.noneMatch, h.Get("If-None-Match"), what)
		require.Equal(t, "REPLACE", h.Get("X-Amz-Metadata-Directive"), what)
		require.Equal(t, "text/plain", h.Get("Content-Type"), what)
		require.Equal(t, "v2", stored.Version(), what)
		require.EqualValues(t, 5, info.Size, what)
	}
}

// Unless the server is known to heed conditions on a copy, it is not asked to.
func TestCopyStreams(t *testing.T) {
	t.Parallel()
	head := text(200, "", "Content-Length", "5", "ETag", `"e"`)
	for what, o := range map[string]*object.PutOptions{"write once": nil, "replace": {IfMatch: `"o"`}} {
		hello := text(200, "hello", "ETag", `"e"`)
		// Without TLS the SDK reads a body twice: once for its digest.
		root, from, w := setup(t, nil, head, hello, hello, text(200, "", "ETag", `"n"`))
		to, err := root.Ref("to.txt")
		require.NoError(t, err)
		stored, _, err := root.Copy(t.Context(), from, to, o)
		require.NoError(t, err, what)
		require.Equal(t, `"n"`, stored.ETag(), what)
		require.Equal(t, []string{"", "", "", "hello"}, w.body, what)
		require.Equal(t, `"e"`, w.header[1].Get("If-Match"), what)
		require.Empty(t, w.header[3].Get("X-Amz-Copy-Source"), what)
	}
}

func TestCopyErrorsAreMapped(t *testing.T) {
	t.Parallel()
	head := text(200, "", "Content-Length", "5", "ETag", `"e"`)
	over := &object.PutOptions{Overwrite: true}
	for what, c := range map[string]struct {
		o       *object.PutOptions
		answers []http.HandlerFunc
		want    error
	}{
		"exists":                   {nil, []http.HandlerFunc{head, answer(412, "PreconditionFailed"), head}, object.ErrExists},
		"the source changed":       {nil, []http.HandlerFunc{head, answer(412, "PreconditionFailed"), answer(412, "")}, object.ErrChanged},
		"the source went":          {nil, []http.HandlerFunc{head, answer(412, "PreconditionFailed"), answer(404, "")}, object.ErrNotFound},
		"overwrite, source change": {over, []http.HandlerFunc{head, answer(412, "PreconditionFailed")}, object.ErrChanged},
		"replace, changed":         {&object.PutOptions{IfMatch: `"o"`}, []http.HandlerFunc{head, answer(412, "PreconditionFailed")}, object.ErrChanged},
		"conflict":                 {nil, []http.HandlerFunc{head, answer(409, "ConditionalRequestConflict")}, object.ErrConflict},
		"gone in between":          {over, []http.HandlerFunc{head, answer(404, "NoSuchKey")}, object.ErrNotFound},
		"denied":                   {over, []http.HandlerFunc{head, answer(403, "AccessDenied"), listing(prefix + "a b+ü.txt")}, object.ErrDenied},
		"an error in a 200": {over, []http.HandlerFunc{head,
			text(200, "<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>")}, nil},
	} {
		root, from, _ := setup(t, &s3object.Options{ConditionalCopy: true}, c.answers...)
		to, err := root.Ref("to.txt")
		require.NoError(t, err)
		_, _, err = root.Copy(t.Context(), from, to, c.o)
		if c.want == nil {
			require.Error(t, err, what)
			continue
		}
		require.ErrorIs(t, err, c.want, what)
	}
}

// stub answers what a copy asks for.
type stub struct{ s3object.Client }

func (stub) HeadObject(context.Context, *s3.HeadObjectInput, ...func(*s3.Options)) (*s3.HeadObjectOutput, error) {
	return &s3.HeadObjectOutput{ETag: aws.String(`"e"`), ContentLength: aws.Int64(5)}, nil
}

func (stub) CopyObject(context.Context, *s3.CopyObjectInput, ...func(*s3.Options)) (*s3.CopyObjectOutput, error) {
	return &s3.CopyObjectOutput{}, nil
}

// The client of a copy is chosen by the scope that holds both ends.
func TestCopyUsesTheClientOfItsScope(t *testing.T) {
	t.Parallel()
	var asked []scope.Scope
	d, err := s3object.New(nil, "landing", &s3object.Options{For: func(_ context.Context, s scope.Scope) (s3object.Client, error) {
		asked = append(asked, s)
		return stub{}, nil
	}})
	require.NoError(t, err)
	session, from, _ := withBucket(t, d, "landing", nil)
	tenant, err := scope.Tenant("acme")
	require.NoError(t, err)
	u1, err := tenant.User("u1")
	require.NoError(t, err)
	user, err := session.Bucket().In(u1)
	require.NoError(t, err)
	to, err := user.Ref("kept.txt")
	require.NoError(t, err)
	_, _, err = user.Copy(t.Context(), from, to, &object.PutOptions{Overwrite: true})
	require.NoError(t, err)
	require.Equal(t, []scope.Scope{session.Scope(), u1}, asked, "one scope for the look, one for the copy")
}
